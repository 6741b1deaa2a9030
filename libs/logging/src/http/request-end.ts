import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** Called when the answer to a request is out, or its client has gone away before. */
export type RequestEndListener = (
  request: FastifyRequest,
  reply: FastifyReply,
  /** Since Fastify's first hook. */
  durationMs: number,
) => void;

const REPLY = Symbol('reply');
const listenersOf = new WeakMap<object, RequestEndListener[]>();

interface Watched {
  readonly reply: FastifyReply;
  readonly startedAtMs: number;
  readonly listeners: readonly RequestEndListener[];
}

interface WatchedResponse {
  [REPLY]?: Watched | undefined;
}

/**
 * Calls `listener` once for each request that `registerRequestContext` has seen. Unlike
 * Fastify's onResponse it is also called when the client leaves before the answer is out, so
 * that what is counted at the start can be counted off at the end.
 */
export function onRequestEnd(fastify: FastifyInstance, listener: RequestEndListener): void {
  endListenersOf(fastify).push(listener);
}

/** The status of an answer; 499, as others have it, when the client left before there was one. */
export function finalStatusOf(reply: FastifyReply): number {
  return reply.raw.writableFinished || reply.raw.headersSent
    ? reply.statusCode
    : CLIENT_LEFT_STATUS;
}

const CLIENT_LEFT_STATUS = 499;

/** The listeners of a Fastify instance; the same list each time. */
export function endListenersOf(fastify: FastifyInstance): RequestEndListener[] {
  let listeners = listenersOf.get(fastify.server);
  if (listeners === undefined) {
    listeners = [];
    listenersOf.set(fastify.server, listeners);
  }
  return listeners;
}

/** Sees to it that the listeners are called. One shared function serves all requests. */
export function watchEnd(reply: FastifyReply, listeners: readonly RequestEndListener[]): void {
  const response: WatchedResponse & NodeJS.EventEmitter = reply.raw;
  response[REPLY] = { reply, startedAtMs: performance.now(), listeners };
  response.on('close', onClose);
}

function onClose(this: WatchedResponse): void {
  const watched = this[REPLY];
  if (watched === undefined) return;
  this[REPLY] = undefined;
  const { reply, startedAtMs, listeners } = watched;
  const durationMs = performance.now() - startedAtMs;
  for (const listener of listeners) listener(reply.request, reply, durationMs);
}
