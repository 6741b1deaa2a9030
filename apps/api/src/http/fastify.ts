import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { newId } from '#libs/core';
import { REQUEST_ID_HEADER, requestIdFrom, watchUnrouted } from '#libs/logging';
import type { HttpSettings } from '../../../shared/src/http.settings.js';
import { makeProblem, PROBLEM_MEDIA_TYPE, toProblemAnswer } from './problem-details.js';

/** Path parameters are names or ids; anything longer is an attack or a mistake. */
const MAX_PARAMETER_LENGTH = 256;

/** Leaves Fastify's own errors as they are, so that their codes are not lost on the way. */
class PlainErrorsFastifyAdapter extends FastifyAdapter {
  override mapException(error: unknown): unknown {
    return error;
  }
}

/** Fastify with our limits, and a request id for everything that it answers. */
export function createFastifyAdapter(settings: HttpSettings): FastifyAdapter {
  const adapter = new PlainErrorsFastifyAdapter({
    bodyLimit: settings.bodyLimitBytes,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    trustProxy: settings.trustProxy,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    genReqId: (request: IncomingMessage) => requestIdFrom(request.headers[REQUEST_ID_HEADER]),
    // What the router refuses never reaches the hooks and filters of the application.
    frameworkErrors: (error: FastifyError, request: FastifyRequest, reply: FastifyReply) => {
      watchUnrouted(request, reply);
      const { problem } = toProblemAnswer(error, request.id);
      void reply
        .status(problem.status)
        .header(REQUEST_ID_HEADER, request.id)
        .type(PROBLEM_MEDIA_TYPE)
        .send(JSON.stringify(problem));
    },
    // Requests that arrive on an open connection while we close are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) => answerBrokenRequest(error, socket, newId()),
  });
  const fastify = adapter.getInstance();
  fastify.removeContentTypeParser('text/plain');
  // Bulk routes read their lines as they arrive and enforce their own limits.
  fastify.addContentTypeParser('application/x-ndjson', (_, payload, done) => done(null, payload));
  return adapter;
}

/** Answers what is not HTTP, or is too large or slow to be read, and closes the connection. */
function answerBrokenRequest(
  error: Error & { code?: string },
  socket: Socket,
  requestId: string,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, reason, code] = BROKEN_REQUESTS[error.code ?? ''] ?? [
    400,
    'Bad Request',
    'HTTP_INVALID',
  ];
  const detail = 'The request could not be read.';
  const body = JSON.stringify(makeProblem({ status, code, detail, requestId }));
  socket.end(
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: ${PROBLEM_MEDIA_TYPE}\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const BROKEN_REQUESTS: Readonly<Record<string, readonly [number, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'REQUEST_TIMEOUT'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'HEADERS_TOO_LARGE'],
};
