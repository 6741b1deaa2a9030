import type { FastifyReply, FastifyRequest } from 'fastify';
import { ownHeadersOf } from '#libs/http';
import { requestFailed } from '#libs/logging';
import type { RefusalCause } from './refusal-cause.js';

const STATUS = 503;
/** The rest of a larger body would be read for nothing; such a connection is closed. */
const SMALL_BODY_BYTES = 65_536;

/** What the client is told, by cause. */
const REFUSALS: Readonly<Record<RefusalCause, readonly [code: string, detail: string]>> = {
  'queue-full': [
    'ADMISSION_QUEUE_FULL',
    'Too many requests wait already. Nothing was done; try again.',
  ],
  overloaded: [
    'ADMISSION_OVERLOADED',
    'More is asked than can be served now. Nothing was done; try again.',
  ],
  deadline: [
    'ADMISSION_DEADLINE',
    'The request would not be served within its time. Nothing was done; try again later or give it more.',
  ],
  memory: [
    'ADMISSION_MEMORY',
    'Memory runs short, and work that can wait is put off. Nothing was done; try again later.',
  ],
};

/** The body before and after the id of the request, by cause. */
const BODIES = Object.fromEntries(
  Object.entries(REFUSALS).map(([cause, [code, detail]]) => {
    const text = JSON.stringify({
      type: `urn:pantheon:problem:${code.toLowerCase().replaceAll('_', '-')}`,
      title: 'Temporarily unavailable',
      status: STATUS,
      code,
      detail,
      requestId: '',
    });
    return [cause, text.slice(0, -2)];
  }),
) as Readonly<Record<RefusalCause, string>>;

/**
 * Answers 503 with a problem (RFC 9457), past the hooks of Fastify and before the body is read: a
 * refusal must cost next to nothing, else refusing is what keeps us busy. The id of a request needs no
 * escaping, and like the rest is of ASCII.
 */
export function refuseRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  cause: RefusalCause,
  retryAfterSeconds: number,
): void {
  const body = `${BODIES[cause]}${request.id}"}`;
  const headers: Record<string, number | string | string[] | undefined> = {
    ...ownHeadersOf(reply),
    'retry-after': retryAfterSeconds,
    'content-type': 'application/problem+json',
    'content-length': body.length,
  };
  const { raw } = request;
  const length = raw.headers['content-length'];
  if (raw.headers['transfer-encoding'] !== undefined || Number(length ?? 0) > SMALL_BODY_BYTES) {
    headers['connection'] = 'close';
  }
  const code = REFUSALS[cause][0];
  requestFailed.publish(() => ({ status: STATUS, code, requestId: request.id }));
  reply.hijack();
  reply.raw.writeHead(STATUS, headers);
  reply.raw.end(raw.method === 'HEAD' ? undefined : body);
}
