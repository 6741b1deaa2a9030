import { type CanActivate, ForbiddenException, RequestMethod } from '@nestjs/common';
import {
  type ApplicationConfig,
  type ExternalContextCreator,
  type ModulesContainer,
  type NestContainer,
} from '@nestjs/core';
import type { ExceptionsHandler } from '@nestjs/core/exceptions/exceptions-handler.js';
import { GuardsConsumer } from '@nestjs/core/guards/guards-consumer.js';
import type { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { ExecutionContextHost } from '@nestjs/core/helpers/execution-context-host.js';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import { InterceptorsConsumer } from '@nestjs/core/interceptors/interceptors-consumer.js';
import { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator.js';
import { PipesConsumer } from '@nestjs/core/pipes/pipes-consumer.js';
import { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator.js';
import { RouteParamsFactory } from '@nestjs/core/router/route-params-factory.js';
import { RouterExceptionFilters } from '@nestjs/core/router/router-exception-filters.js';
import { RouterExecutionContext } from '@nestjs/core/router/router-execution-context.js';
import { RouterProxy, type RouterProxyCallback } from '@nestjs/core/router/router-proxy.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Run } from './captured-answer.js';
import { ResponseNotCacheableError } from './errors/response-not-cacheable.error.js';

type Handler = (...args: unknown[]) => unknown;

/** One handler's way through Nest, in the parts between which a cache can stand. */
export interface HandlerPipeline {
  /** In the order in which they run. */
  readonly guards: readonly CanActivate[];
  readonly controller: NewableFunction;
  readonly handler: Handler;
  /** Asks a guard as Nest does. @throws what the guard throws, or that the request is forbidden */
  ask(guard: CanActivate, request: FastifyRequest, reply: FastifyReply): Promise<void>;
  /** Everything after the guards: interceptors, pipes, the handler, its answer, exception filters. */
  readonly run: Run;
  /** Answers what a guard or the cache has thrown, through the exception filters of the handler. */
  fail(error: unknown, request: FastifyRequest, reply: FastifyReply): void;
}

/**
 * Takes the pipeline of a GET handler apart with Nest's own parts, so that guards run once, before
 * the cache, and all the rest is what Nest does without a cache. Nest exports these classes without
 * promising them; the tests of this folder notice when they change.
 */
export function pipelineOf(
  controller: object,
  methodName: string,
  external: ExternalContextCreator,
  modules: ModulesContainer,
): HandlerPipeline {
  const name = `${controller.constructor.name}.${methodName}`;
  const { guardsContext, container, config } = partsOf(external);
  const { moduleKey, inquirerId } = placeOf(controller, modules, name);
  const handler = (controller as Record<string, Handler>)[methodName] as Handler;
  // Guards and the like that are made anew for whoever asks for them are found by the controller.
  const context = [moduleKey, STATIC_CONTEXT, inquirerId] as const;
  const adapter = container.getHttpAdapterRef();
  const withoutGuards = { create: () => [] } as unknown as GuardsContextCreator;
  const router = new RouterExecutionContext(
    new RouteParamsFactory(config),
    new PipesContextCreator(container, config),
    new PipesConsumer(),
    withoutGuards,
    new GuardsConsumer(),
    new InterceptorsContextCreator(container, config),
    new InterceptorsConsumer(),
    adapter,
  );
  const filters: ExceptionsHandler = new RouterExceptionFilters(container, config, adapter).create(
    controller,
    handler as RouterProxyCallback,
    ...context,
  );
  const rest = new RouterProxy().createProxy(
    router.create(
      controller,
      handler,
      methodName,
      moduleKey,
      RequestMethod.GET,
      STATIC_CONTEXT,
      inquirerId,
    ),
    filters,
  );
  const consumer = new GuardsConsumer();
  const next = (): void => undefined;
  return {
    guards: guardsContext.create(controller, handler, ...context),
    controller: controller.constructor,
    handler,
    async ask(guard, request, reply) {
      const args = [request, reply, next];
      if (await consumer.tryActivate([guard], args, controller, handler, 'http')) return;
      throw new ForbiddenException('Forbidden resource');
    },
    run: async (request, reply) => {
      await rest(request, reply, next);
    },
    fail(error, request, reply) {
      filters.next(error as Error, new ExecutionContextHost([request, reply, next]));
    },
  };
}

interface InnerParts {
  readonly guardsContext: GuardsContextCreator;
  readonly container: NestContainer;
  readonly config: ApplicationConfig;
}

/** The one place that reads fields which Nest calls private. */
function partsOf(external: ExternalContextCreator): InnerParts {
  const guardsContext: unknown = Reflect.get(external, 'guardsContextCreator');
  const container: unknown = Reflect.get(external, 'container');
  const config: unknown = Reflect.get(Object(guardsContext), 'config');
  return { guardsContext, container, config } as InnerParts;
}

/** Nest's keys of the module of a controller and of itself. */
function placeOf(
  controller: object,
  modules: ModulesContainer,
  name: string,
): { readonly moduleKey: string; readonly inquirerId: string } {
  for (const [moduleKey, { controllers }] of modules) {
    for (const wrapper of controllers.values()) {
      if (wrapper.instance !== controller) continue;
      if (!wrapper.isDependencyTreeStatic()) {
        throw new ResponseNotCacheableError(name, 'its controller is made anew for each request');
      }
      return { moduleKey, inquirerId: wrapper.id };
    }
  }
  throw new ResponseNotCacheableError(name, 'no module has its controller');
}
