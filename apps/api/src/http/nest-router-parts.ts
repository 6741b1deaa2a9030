import type { ArgumentMetadata, PipeTransform } from '@nestjs/common';
import type { ExceptionsHandler } from '@nestjs/core/exceptions/exceptions-handler.js';
import type { GuardsContextCreator } from '@nestjs/core/guards/guards-context-creator.js';
import { STATIC_CONTEXT } from '@nestjs/core/injector/constants.js';
import type { ContextId } from '@nestjs/core/injector/instance-wrapper.js';
import type { InterceptorsContextCreator } from '@nestjs/core/interceptors/interceptors-context-creator.js';
import type { PipesContextCreator } from '@nestjs/core/pipes/pipes-context-creator.js';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isRouteGuard } from '#libs/http';

/*
 * The parts of Nest's router that its types call private, as far as they are used here.
 */

export type Handler = (...args: unknown[]) => unknown;
export type Next = () => void;

/** What Nest makes of a handler: everything from the guards to the exception filters. */
export type RouteCallback = (request: FastifyRequest, reply: FastifyReply, next: Next) => unknown;

/** A handler as the router names it. */
export interface HandlerPlace {
  readonly instance: object;
  readonly handler: Handler;
  readonly name: string;
  /** Key of its module. */
  readonly module: string;
  /** Nest's number of the method. */
  readonly method: number;
  /** Nest's key of its controller: parts that are made anew for whoever asks for them go by it. */
  readonly inquirerId: string | undefined;
}

/** What creators of enhancers go by. */
type EnhancerContext = [
  instance: object,
  handler: Handler,
  module: string,
  contextId: ContextId,
  inquirerId: string | undefined,
];

export interface ParameterParts {
  readonly index: number;
  readonly type: number | string;
  readonly data: ArgumentMetadata['data'];
  readonly metatype?: ArgumentMetadata['metatype'];
  readonly schema?: ArgumentMetadata['schema'];
  readonly pipes: PipeTransform[];
  readonly extractValue: (request: FastifyRequest, reply: FastifyReply, next: Next) => unknown;
}

export interface HandlerMetadata {
  readonly argsLength: number;
  readonly httpStatusCode: number;
  readonly isSseHandler: boolean;
  readonly hasCustomHeaders: boolean;
  readonly paramtypes: unknown[];
  readonly fnHandleResponse: (...args: unknown[]) => Promise<unknown>;
  readonly getParamsMetadata: (
    module: string,
    contextId?: ContextId,
    inquirerId?: string,
  ) => ParameterParts[];
}

export interface RouteCreatorParts {
  readonly guardsContextCreator: GuardsContextCreator;
  readonly interceptorsContextCreator: InterceptorsContextCreator;
  readonly pipesContextCreator: PipesContextCreator;
  readonly contextUtils: {
    mergeParamsMetatypes(parameters: ParameterParts[], types: unknown[]): ParameterParts[];
  };
  getMetadata(
    instance: object,
    handler: Handler,
    name: string,
    module: string,
    method: number,
    type: 'http',
  ): HandlerMetadata;
  isPipeable(type: number | string): boolean;
  isResponseHandled(instance: object, name: string, parameters: ParameterParts[]): boolean;
  reflectRedirect(handler: Handler): unknown;
  reflectRenderTemplate(handler: Handler): unknown;
}

export interface RouterExplorerParts {
  readonly executionContextCreator: RouteCreatorParts;
  readonly exceptionsFilter: {
    create(...context: EnhancerContext): ExceptionsHandler;
  };
  createCallbackProxy(
    instance: object,
    handler: Handler,
    name: string,
    module: string,
    method: number,
    contextId?: ContextId,
    inquirerId?: string,
  ): RouteCallback;
}

/** What registers the routes of an application; undefined where Nest has it elsewhere. */
export function explorerOf(app: NestFastifyApplication): RouterExplorerParts | undefined {
  const explorer = part(part(app, 'routesResolver'), 'routerExplorer');
  const creator = part(explorer, 'executionContextCreator');
  const hasAll =
    ['createCallbackProxy'].every((name) => typeof part(explorer, name) === 'function') &&
    typeof part(part(explorer, 'exceptionsFilter'), 'create') === 'function' &&
    typeof part(part(creator, 'contextUtils'), 'mergeParamsMetatypes') === 'function' &&
    METHODS.every((name) => typeof part(creator, name) === 'function') &&
    CREATORS.every((name) => typeof part(part(creator, name), 'create') === 'function');
  return hasAll ? (explorer as RouterExplorerParts) : undefined;
}

const METHODS = [
  'getMetadata',
  'isPipeable',
  'isResponseHandled',
  'reflectRedirect',
  'reflectRenderTemplate',
];

const CREATORS = ['guardsContextCreator', 'interceptorsContextCreator', 'pipesContextCreator'];

function part(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

/** Where the enhancers of a handler are found, those included that are made for its controller alone. */
export function enhancerContextOf(place: HandlerPlace): EnhancerContext {
  return [place.instance, place.handler, place.module, STATIC_CONTEXT, place.inquirerId];
}

/** Whether a handler is more than guards, pipes, a value and exception filters. */
export function isLeftToNest(creator: RouteCreatorParts, place: HandlerPlace): boolean {
  const { instance, handler, name, module, method } = place;
  const context = enhancerContextOf(place);
  const metadata = creator.getMetadata(instance, handler, name, module, method, 'http');
  return (
    metadata.isSseHandler ||
    metadata.hasCustomHeaders ||
    creator.isResponseHandled(instance, name, metadata.getParamsMetadata(module)) ||
    creator.reflectRedirect(handler) !== undefined ||
    creator.reflectRenderTemplate(handler) !== undefined ||
    creator.interceptorsContextCreator.create(...context).length > 0 ||
    !creator.guardsContextCreator.create(...context).every((guard) => isRouteGuard(guard))
  );
}
