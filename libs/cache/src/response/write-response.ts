import type { FastifyReply, FastifyRequest } from 'fastify';
import type { CacheSource } from '../statistics/cache.channels.js';
import type { CachedResponse } from './cached-response.js';
import { ownHeadersOf } from '#libs/http';
import { isNotModified } from './conditional-request.js';

/** What a 304 repeats of the headers of the response (RFC 9110, 15.4.5), and who may purge it. */
const IN_NOT_MODIFIED = new Set([
  'cache-control',
  'content-location',
  'etag',
  'expires',
  'last-modified',
  'surrogate-key',
  'vary',
]);

/**
 * Answers a request with a stored response: 304 when the client has it already, and without a body
 * for HEAD. What hooks have set on the reply for this request goes out beside what is stored, unless
 * the handler said otherwise.
 */
export function writeResponse(
  request: FastifyRequest,
  reply: FastifyReply,
  response: CachedResponse,
  source: CacheSource,
  nowMs: number,
): void {
  const { raw } = reply;
  if (reply.sent || raw.headersSent) return;
  reply.hijack();
  const isKept = response.lifeMs > 0;
  const ageSeconds = Math.max(0, Math.floor((nowMs - response.createdMs) / 1000));
  const notModified =
    response.status === 200 && isNotModified(request.headers, response.etag, response.modifiedMs);
  const head = notModified ? notModifiedHead(response.head) : response.head.slice();
  head.push('x-cache', source);
  if (isKept) head.push('age', String(ageSeconds));
  let { body } = response;
  if (response.requestIdAt.length > 0 && !notModified) {
    body = withRequestId(response, request.id);
    head.push('content-length', String(body.length));
  }
  addOwnHeaders(head, reply);
  raw.writeHead(notModified ? 304 : response.status, head);
  // For whoever asks the reply afterwards, such as the access log.
  if (!notModified) void reply.header('content-length', body.length);
  if (notModified || request.method === 'HEAD') raw.end();
  // Headers and a text go out as one string, in one write, which bytes of two places do not.
  else if (typeof body === 'string') raw.end(body, 'latin1');
  else raw.end(body);
}

function addOwnHeaders(head: string[], reply: FastifyReply): void {
  const own = ownHeadersOf(reply);
  const stored = head.length;
  for (const name in own) {
    const value = own[name];
    if (value === undefined) continue;
    const at = indexOfName(head, name, stored);
    if (at < 0) {
      for (const one of Array.isArray(value) ? value : [String(value)]) head.push(name, one);
    } else if (name === 'vary') head[at + 1] = `${String(value)}, ${head[at + 1]}`;
  }
}

function indexOfName(head: readonly string[], name: string, end: number): number {
  for (let at = 0; at < end; at += 2) if (head[at] === name) return at;
  return -1;
}

function notModifiedHead(head: readonly string[]): string[] {
  const kept: string[] = [];
  for (let at = 0; at < head.length; at += 2) {
    const name = head[at] as string;
    if (IN_NOT_MODIFIED.has(name)) kept.push(name, head[at + 1] as string);
  }
  return kept;
}

function withRequestId({ body, requestIdAt }: CachedResponse, requestId: string): Buffer {
  const { start, length } = requestIdAt;
  const bytes = typeof body === 'string' ? Buffer.from(body, 'latin1') : body;
  return Buffer.concat([
    bytes.subarray(0, start),
    Buffer.from(JSON.stringify(requestId).slice(1, -1)),
    bytes.subarray(start + length),
  ]);
}
