import { Injectable, type OnApplicationBootstrap, Optional } from '@nestjs/common';
import {
  RESPONSE_PASSTHROUGH_METADATA,
  ROUTE_ARGS_METADATA,
  RouteParamtypes,
  SSE_METADATA,
} from '@nestjs/common/internal';
import {
  ExternalContextCreator,
  HttpAdapterHost,
  ModulesContainer,
  type ReflectableDecorator,
  Reflector,
} from '@nestjs/core';
import type { FastifyInstance, RouteOptions } from 'fastify';
import { Clock } from '#libs/core';
import { Compression, HandsOutSecrets, Public } from '#libs/http';
import { CacheStrategySource } from '../decorators/cache-strategy.source.js';
import { type CachedHandler, ResponseCaching } from '../decorators/response-caching.js';
import { Caches } from '../managers/caches.js';
import type { CachedResponse } from './cached-response.js';
import { captureAnswer, captureValue } from './captured-answer.js';
import { CachedRoute } from './cached-route.js';
import { EncodedResponses } from './encoded-responses.js';
import { ResponseNotCacheableError } from './errors/response-not-cacheable.error.js';
import { type HandlerPipeline, pipelineOf } from './nest-pipeline.js';
import { RequestKeys } from './request-key.js';
import { ResponseWriter } from './response-writer.js';
import { policyOf } from './response-policy.js';
import { checksOf } from './route-checks.js';

/** Routes with a wildcard or an optional part: what they match is not told by their parameters. */
const UNCLEAR_ROUTE = /[*{}()?+]/;

/**
 * Puts a cache in front of the GET handlers that the explorer of the decorators names, where Nest
 * registers their routes with Fastify; HEAD is answered from the same entries. In a process without
 * HTTP it does nothing.
 */
@Injectable()
export class FastifyResponseCaching extends ResponseCaching implements OnApplicationBootstrap {
  /** By the name that Nest gives to the handlers of routes. */
  private readonly handlers = new Map<string, CachedHandler>();
  private readonly routed = new Set<CachedHandler>();
  private readonly isServing: boolean;
  private readonly writer = new ResponseWriter();
  private readonly encodings: EncodedResponses | undefined;

  constructor(
    host: HttpAdapterHost,
    private readonly external: ExternalContextCreator,
    private readonly modules: ModulesContainer,
    private readonly reflector: Reflector,
    private readonly caches: Caches,
    private readonly clock: Clock,
    @Optional() private readonly strategies?: CacheStrategySource,
    @Optional() compression?: Compression,
  ) {
    super();
    if (compression !== undefined) this.encodings = new EncodedResponses(compression, caches);
    const adapter = host.httpAdapter as HttpAdapterHost['httpAdapter'] | undefined;
    this.isServing = adapter?.getType() === 'fastify';
    if (this.isServing) {
      const fastify = adapter?.getInstance() as FastifyInstance;
      fastify.addHook('onRoute', (route) => this.onRoute(route));
    }
  }

  attach(handler: CachedHandler): void {
    const { controller, methodName } = handler;
    const name = `${controller.constructor.name}.${methodName}`;
    const { constructor } = controller;
    const target = (controller as Record<string, object>)[methodName] as object;
    if (this.handlers.has(name)) {
      throw new ResponseNotCacheableError(name, 'there are two of that name; give one another');
    }
    if (Reflect.getMetadata(SSE_METADATA, target) !== undefined) {
      throw new ResponseNotCacheableError(name, 'it streams events');
    }
    const args = (Reflect.getMetadata(ROUTE_ARGS_METADATA, constructor, methodName) ??
      {}) as object;
    const parameters = new Set(Object.keys(args).map((key) => Number(key.split(':')[0])));
    const isPassedThrough =
      Reflect.getMetadata(RESPONSE_PASSTHROUGH_METADATA, constructor, methodName) === true;
    const takesResponse =
      parameters.has(RouteParamtypes.RESPONSE) || parameters.has(RouteParamtypes.NEXT);
    if (takesResponse && !isPassedThrough) {
      throw new ResponseNotCacheableError(name, 'it takes the response and writes by itself');
    }
    this.handlers.set(name, handler);
  }

  /** A handler whose route was not seen would run without its cache. */
  onApplicationBootstrap(): void {
    if (!this.isServing) return;
    for (const [name, handler] of this.handlers) {
      if (!this.routed.has(handler)) {
        throw new ResponseNotCacheableError(name, 'it is on no route of GET');
      }
    }
  }

  private onRoute(route: RouteOptions): void {
    const { handler: original, url } = route;
    const handler = this.handlers.get(original.name);
    if (handler === undefined) return;
    const methods = [route.method].flat();
    if (!methods.some((method) => method === 'GET' || method === 'HEAD')) return;
    if (UNCLEAR_ROUTE.test(url)) {
      throw new ResponseNotCacheableError(original.name, `its route ${url} has a wildcard`);
    }
    this.routed.add(handler);
    const cached = this.routeOf(handler, original.name, url);
    route.handler = function handle(request, reply) {
      // Nest answers 404 to an empty parameter, before its guards.
      const params = request.params as Readonly<Record<string, string>>;
      for (const name in params)
        if (params[name] === '') return original.call(this, request, reply);
      return cached.handle(request, reply);
    };
    // Other hooks go by the name that Nest gave it.
    Object.defineProperty(route.handler, 'name', { value: original.name });
    route.preSerialization = [route.preSerialization ?? [], captureValue].flat();
    const onSend = [route.onSend ?? []].flat();
    // The last one of HEAD takes the body away.
    const at = methods.includes('HEAD') ? Math.max(0, onSend.length - 1) : onSend.length;
    route.onSend = [...onSend.slice(0, at), captureAnswer, ...onSend.slice(at)];
  }

  private routeOf(handler: CachedHandler, name: string, url: string): CachedRoute {
    const { controller, methodName, options, keyOf } = handler;
    const pipeline = pipelineOf(controller, methodName, this.external, this.modules);
    const { strategies } = this;
    const { strategy: strategyName, version } = options;
    const prefix = version === undefined ? url : `${url} v=${encodeURIComponent(version)}`;
    return new CachedRoute({
      handler,
      pipeline,
      check: checksOf(pipeline),
      keys: new RequestKeys(name, prefix, handler.varyBy ?? [], keyOf as never),
      policy: policyOf(handler, this.isMarked(Public, pipeline)),
      cache: this.caches.open<CachedResponse | undefined>(handler.namespace, {
        kind: 'api',
        ...(handler.namespaceOptions as object),
        absentTtlMs: 0,
        ttlMs: (response) => response?.lifeMs ?? 0,
      }),
      clock: this.clock,
      writer: this.writer,
      encodings: this.isMarked(HandsOutSecrets, pipeline) ? undefined : this.encodings,
      strategy:
        strategies === undefined || strategyName === undefined
          ? () => undefined
          : () => strategies.optionsOf(strategyName),
    });
  }

  private isMarked(
    decorator: ReflectableDecorator<void>,
    { handler, controller }: HandlerPipeline,
  ): boolean {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    return this.reflector.getAllAndOverride(decorator, targets) !== undefined;
  }
}
