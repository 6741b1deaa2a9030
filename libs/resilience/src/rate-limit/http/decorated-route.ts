import { RequestMethod, type Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import type { Reflector } from '@nestjs/core';
import { RATE_RULES } from '../rate-limit.decorator.js';
import type { RateRule } from '../rate-rule.js';

/** The rules of a handler, else those of its controller. */
export function rulesOf(
  reflector: Reflector,
  handler: object,
  controller: object,
): readonly RateRule[] {
  const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
  return reflector.getAllAndOverride<RateRule[] | undefined>(RATE_RULES, targets) ?? [];
}

/** `METHOD /path` of each route of a handler. */
export function routesOf(handler: object, controller: object): string[] {
  const method = Reflect.getMetadata(METHOD_METADATA, handler) as RequestMethod | undefined;
  const name = RequestMethod[method ?? RequestMethod.GET];
  return pathsOf(controller as Type).flatMap((prefix) =>
    pathsOf(handler).map((path) => `${name} ${joined(prefix, path)}`),
  );
}

function pathsOf(target: object): string[] {
  return [
    (Reflect.getMetadata(PATH_METADATA, target) as string | string[] | undefined) ?? '',
  ].flat();
}

function joined(...parts: string[]): string {
  const names = parts.flatMap((part) => part.split('/')).filter((name) => name !== '');
  return `/${names.join('/')}`;
}
