import 'reflect-metadata';
import { RequestMethod } from '@nestjs/common';
import {
  METHOD_METADATA,
  PATH_METADATA,
  ROUTE_ARGS_METADATA,
  SSE_METADATA,
} from '@nestjs/common/constants.js';
import { RouteParamtypes } from '@nestjs/common/enums/route-paramtypes.enum.js';
import { type AnyFunction, declaredMethod } from '#libs/core';
import { Public, RequirePermission } from '#libs/http';
import { type Parameter, parametersOf } from '../keys/parameters.js';

/** Where a handler's parameter gets its value from. */
export interface RouteArgument {
  readonly index: number;
  readonly from: 'params' | 'query' | 'body' | 'headers' | 'request' | 'response' | 'other';
  /** Of a single parameter such as `@Param('id')`; undefined for all of them. */
  readonly name: string | undefined;
}

/** What Nest knows of a handler. */
export interface HandlerShape {
  readonly method: RequestMethod;
  readonly isSse: boolean;
  readonly isPublic: boolean;
  /** Resource of the permission that is needed, with its placeholders. */
  readonly resource: string | undefined;
  readonly arguments: readonly RouteArgument[];
}

/** What is known of a decorated method before it runs. */
export interface MethodShape {
  /** For messages, as `Orders.find`. */
  readonly name: string;
  readonly methodName: string;
  readonly method: AnyFunction;
  readonly parameters: readonly Parameter[];
  /** Whether it is sure to return a promise. */
  readonly isAsync: boolean;
  /** Undefined for methods that are no handlers of routes. */
  readonly handler: HandlerShape | undefined;
}

const SOURCES: ReadonlyMap<number, RouteArgument['from']> = new Map<number, RouteArgument['from']>([
  [RouteParamtypes.PARAM, 'params'],
  [RouteParamtypes.QUERY, 'query'],
  [RouteParamtypes.BODY, 'body'],
  [RouteParamtypes.HEADERS, 'headers'],
  [RouteParamtypes.RESPONSE, 'response'],
  [RouteParamtypes.NEXT, 'response'],
  [RouteParamtypes.REQUEST, 'request'],
  [RouteParamtypes.IP, 'request'],
  [RouteParamtypes.SESSION, 'request'],
  [RouteParamtypes.COOKIES, 'request'],
  [RouteParamtypes.SIGNED_COOKIES, 'request'],
]);

/** Reads the shape of a method of a provider or controller. */
export function shapeOf(instance: object, methodName: string, isController: boolean): MethodShape {
  const { constructor } = instance;
  const method = (instance as Record<string, unknown>)[methodName] as AnyFunction;
  return {
    name: `${constructor.name}.${methodName}`,
    methodName,
    method,
    parameters: parametersOf(declaredMethod(method)),
    isAsync: isAsync(instance, methodName, method),
    handler: isController ? handlerShape(constructor, methodName, method) : undefined,
  };
}

/** An `async` method, or one whose declared return type is a promise. */
function isAsync(instance: object, methodName: string, method: AnyFunction): boolean {
  if (declaredMethod(method).constructor.name === 'AsyncFunction') return true;
  const type = Reflect.getMetadata('design:returntype', instance, methodName) as unknown;
  return typeof type === 'function' && type.name === 'Promise';
}

function handlerShape(
  controller: object,
  methodName: string,
  method: AnyFunction,
): HandlerShape | undefined {
  if (Reflect.getMetadata(PATH_METADATA, method) === undefined) return undefined;
  const targets = [method, controller];
  const permission = firstMetadata(RequirePermission.KEY, targets) as
    { readonly resource: string } | undefined;
  return {
    method: Reflect.getMetadata(METHOD_METADATA, method) as RequestMethod,
    isSse: Reflect.getMetadata(SSE_METADATA, method) === true,
    isPublic: firstMetadata(Public.KEY, targets) !== undefined,
    resource: permission?.resource,
    arguments: routeArguments(controller, methodName),
  };
}

function firstMetadata(key: string, targets: readonly object[]): unknown {
  const target = targets.find((target) => Reflect.hasMetadata(key, target));
  return target === undefined ? undefined : Reflect.getMetadata(key, target);
}

function routeArguments(controller: object, methodName: string): RouteArgument[] {
  const recorded = (Reflect.getMetadata(ROUTE_ARGS_METADATA, controller, methodName) ??
    {}) as Record<string, { readonly index: number; readonly data?: unknown }>;
  return Object.entries(recorded).map(([key, { index, data }]) => ({
    index,
    // The type comes first, as in `3:0`; that of a custom decorator is no number.
    from: SOURCES.get(Number(key.split(':')[0])) ?? 'other',
    name: typeof data === 'string' ? data : undefined,
  }));
}
