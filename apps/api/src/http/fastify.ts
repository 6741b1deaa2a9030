import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { HttpSettings } from '../api.settings.js';
import { makeProblem } from './problem-details.js';

/** Path parameters are names or ids; anything longer is an attack or a mistake. */
const MAX_PARAMETER_LENGTH = 256;

/** Fastify with our limits. `makeRequestId` names each request, from its headers if it may. */
export function createFastifyAdapter(
  settings: HttpSettings,
  makeRequestId: (header: string | readonly string[] | undefined) => string,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    bodyLimit: settings.bodyLimitBytes,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.keepAliveTimeoutMs,
    trustProxy: settings.trustProxy,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH },
    genReqId: (request: IncomingMessage) => makeRequestId(request.headers['x-request-id']),
    // Requests that arrive on an open connection while we close are still answered.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    clientErrorHandler: (error, socket) =>
      answerBrokenRequest(error, socket, makeRequestId(undefined)),
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
    `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/problem+json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}

const BROKEN_REQUESTS: Readonly<Record<string, readonly [number, string, string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'REQUEST_TIMEOUT'],
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'HEADERS_TOO_LARGE'],
};
