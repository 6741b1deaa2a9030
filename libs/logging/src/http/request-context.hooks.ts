import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  preValidationHookHandler,
} from 'fastify';
import {
  createContext,
  type RequestContext,
  runWithContext,
  type TraceContext,
} from '../request-context.js';
import { endListenersOf, watchEnd } from './request-end.js';
import { REQUEST_ID_HEADER } from './request-id.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Set by `registerRequestContext`; null before its hook has run. */
    requestContext: RequestContext | null;
  }
}

/**
 * Gives each request its context under the id that Fastify has given it (`genReqId`), and
 * echoes that id in `X-Request-Id`. Call it before any other hook or route is registered.
 */
export function registerRequestContext(fastify: FastifyInstance): void {
  const endListeners = endListenersOf(fastify);
  fastify.decorateRequest('requestContext', null);
  fastify.addHook('onRequest', (request, reply, done) => {
    const context = new HttpRequestContext(request);
    request.requestContext = context;
    reply.header(REQUEST_ID_HEADER, request.id);
    if (endListeners.length > 0) watchEnd(reply, endListeners);
    runWithContext(context, done);
  });
  fastify.addHook('onRoute', (route) => {
    // Only a route that reads a body loses its context on the way; see below.
    if (![route.method].flat().some((method) => METHODS_WITH_BODY.has(method))) return;
    const others = [route.preValidation ?? []].flat();
    route.preValidation = [reenterContext, ...others];
  });
}

/**
 * Gives a request that the router refuses (Fastify's `frameworkErrors`) its line and its place in
 * the metrics all the same, though no hook ever sees it.
 */
export function watchUnrouted(request: FastifyRequest, reply: FastifyReply): void {
  const context = createContext({ requestId: request.id });
  request.requestContext = context;
  watchEnd(reply, endListenersOf(request.server));
}

/** The context of a request, also where the code runs outside it, as in an error handler. */
export function contextOf(request: FastifyRequest): RequestContext | undefined {
  return request.requestContext ?? undefined;
}

/** Reads from its request what most requests are never asked for. */
class HttpRequestContext implements RequestContext {
  readonly jobId = undefined;
  userId: string | undefined = undefined;
  organizationId: string | undefined = undefined;
  trace: TraceContext | undefined = undefined;
  deadlineMs: number | undefined = undefined;

  private template: string | undefined | null = null;

  constructor(private readonly request: FastifyRequest) {}

  get requestId(): string {
    return this.request.id;
  }

  get route(): string | undefined {
    // Fastify makes an object of twelve fields each time it is asked.
    if (this.template === null) this.template = this.request.routeOptions.url;
    return this.template;
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  address(): string | undefined {
    return this.request.ip;
  }
}

const METHODS_WITH_BODY = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);

/** The body arrives in events of the connection, which know nothing of the request. */
const reenterContext: preValidationHookHandler = (request, _reply, done) => {
  const context = request.requestContext;
  if (context === null) done();
  else runWithContext(context, done);
};
