import type { FastifyInstance } from 'fastify';
import { contextOf, finalStatusOf, onRequestEnd } from '#libs/logging';
import type { HttpMetrics } from './http-metrics.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Whether `registerHttpMetrics` counts this request as under way. */
    countedInFlight: boolean;
    /** Set by a handler whose answer goes on for as long as somebody listens. */
    isEndless: boolean;
  }
}

/**
 * Counts and times each request of a Fastify instance. Call it after `registerRequestContext`
 * and before routes are registered.
 */
export function registerHttpMetrics(fastify: FastifyInstance, metrics: HttpMetrics): void {
  fastify.decorateRequest('countedInFlight', false);
  fastify.decorateRequest('isEndless', false);
  fastify.addHook('onRequest', (request, _reply, done) => {
    request.countedInFlight = true;
    metrics.started();
    done();
  });
  onRequestEnd(fastify, (request, reply, durationMs) => {
    // A hook between the two may have answered it.
    if (request.countedInFlight) metrics.finished();
    const context = contextOf(request);
    metrics.record({
      route: context?.route,
      method: request.method,
      status: finalStatusOf(reply),
      durationMs: request.isEndless ? undefined : durationMs,
      userId: context?.userId,
    });
  });
}
