import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import type { ExceptionsHandler } from '@nestjs/core/exceptions/exceptions-handler.js';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import { isRouteGuard, type RouteCheck } from '#libs/http';
import {
  enhancerContextOf,
  explorerOf,
  type HandlerMetadata,
  type HandlerPlace,
  isLeftToNest,
  type Next,
  type RouteCallback,
  type RouterExplorerParts,
} from './nest-router-parts.js';
import { isThenable, RouteParameters } from './route-parameters.js';

/**
 * Takes the handlers of an application straight from the request to the answer: the same guards, pipes
 * and exception filters as Nest runs, one after the other, waiting only where one of them waits. Nest
 * itself makes a promise at each of a dozen places, which costs more than all hooks of the platform
 * together. What cannot be known to be the same is left to Nest: interceptors, guards that are no
 * `RouteGuard`, streams, templates, redirects, headers by decorator, and controllers that are made for
 * a request, or that have something around them which is.
 *
 * Call it before `init`. Nest exports these parts without promising them: where they are gone nothing
 * changes, and the answer is false.
 */
export function useDirectRoutes(app: NestFastifyApplication): boolean {
  const explorer = explorerOf(app);
  if (explorer === undefined) return false;
  const original = explorer.createCallbackProxy.bind(explorer);
  const adapter = app.getHttpAdapter();
  const reply: SendValue = (response, value) => void adapter.reply(response, value);
  explorer.createCallbackProxy = (
    instance,
    handler,
    name,
    module,
    method,
    contextId = STATIC_CONTEXT,
    inquirerId,
  ) => {
    const place = { instance, handler, name, module, method, inquirerId };
    // Any other context is that of one request, and the parts that Nest has made for it.
    if (contextId !== STATIC_CONTEXT || isLeftToNest(explorer.executionContextCreator, place)) {
      return original(instance, handler, name, module, method, contextId, inquirerId);
    }
    const route = new DirectRoute(explorer, place, reply);
    return route.handle;
  };
  return true;
}

type SendValue = (reply: FastifyReply, value: unknown) => void;

/** One handler and everything around it. */
class DirectRoute {
  private readonly checks: readonly RouteCheck[];
  private readonly parameters: RouteParameters;
  private readonly filters: ExceptionsHandler;
  private readonly statusCode: number;
  private readonly handleResponse: HandlerMetadata['fnHandleResponse'];

  constructor(
    { executionContextCreator: creator, exceptionsFilter }: RouterExplorerParts,
    private readonly place: HandlerPlace,
    private readonly sendValue: SendValue,
  ) {
    const { instance, handler, name, module, method } = place;
    const metadata = creator.getMetadata(instance, handler, name, module, method, 'http');
    const context = enhancerContextOf(place);
    const guards = creator.guardsContextCreator.create(...context);
    this.checks = guards
      .filter(isRouteGuard)
      .flatMap((guard) => guard.checkOf(handler, instance.constructor) ?? []);
    this.parameters = RouteParameters.of(creator, place, metadata);
    this.filters = exceptionsFilter.create(...context);
    this.statusCode = metadata.httpStatusCode;
    this.handleResponse = metadata.fnHandleResponse;
  }

  readonly handle: RouteCallback = (request, reply, next) => {
    try {
      const pending = this.check(request, reply, next);
      return pending?.catch((error: unknown) => this.fail(error, request, reply, next));
    } catch (error) {
      return this.fail(error, request, reply, next);
    }
  };

  private check(
    request: FastifyRequest,
    reply: FastifyReply,
    next: Next,
  ): Promise<unknown> | undefined {
    const { checks } = this;
    for (let at = 0; at < checks.length; at += 1) {
      const pending = (checks[at] as RouteCheck)(request, reply);
      if (pending !== undefined) return this.checkRest(pending, at + 1, request, reply, next);
    }
    return this.run(request, reply, next);
  }

  private async checkRest(
    pending: Promise<void>,
    from: number,
    request: FastifyRequest,
    reply: FastifyReply,
    next: Next,
  ): Promise<unknown> {
    await pending;
    for (const check of this.checks.slice(from)) await check(request, reply);
    return this.run(request, reply, next);
  }

  private run(
    request: FastifyRequest,
    reply: FastifyReply,
    next: Next,
  ): Promise<unknown> | undefined {
    void reply.code(this.statusCode);
    const args = this.parameters.of(request, reply, next);
    if (args instanceof Promise) {
      return args.then((settled: unknown[]) => this.call(settled, request, reply));
    }
    return this.call(args, request, reply);
  }

  private call(
    args: unknown[],
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> | undefined {
    const { handler, instance } = this.place;
    const result = handler.apply(instance, args);
    if (!isThenable(result)) return this.answer(result, request, reply);
    return this.answerLater(result, request, reply);
  }

  private async answerLater(
    result: PromiseLike<unknown>,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<void> {
    await this.answer(await result, request, reply);
  }

  private answer(
    result: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): Promise<unknown> | undefined {
    if (!isPlain(result)) return this.handleResponse(result, reply, request, undefined, []);
    this.sendValue(reply, result);
    return undefined;
  }

  /** As Nest answers what is thrown; what the filters throw is left to Fastify. */
  private fail(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
    next: Next,
  ): FastifyReply {
    this.filters.next(error as Error, new ExecutionContextHost([request, reply, next]));
    return reply;
  }
}

/** What is serialised as it is: no stream, no Observable, nothing that has a way of its own to be sent. */
function isPlain(value: unknown): boolean {
  if (typeof value === 'function') return false;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    (prototype === Object.prototype || prototype === null) &&
    !(Symbol.asyncIterator in value) &&
    !('subscribe' in value)
  );
}
