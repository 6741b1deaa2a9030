import {
  type CanActivate,
  type ExecutionContext,
  Injectable,
  RequestMethod,
  type Type,
} from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { Reflector } from '@nestjs/core';
import { type RouteCheck, RouteChecks, type RouteGuard } from '#libs/http';
import { RATE_RULES } from '../rate-limit.decorator.js';
import { RateLimits } from '../rate-limits.js';
import type { RateRule } from '../rate-rule.js';
import { RouteLimits } from './route-limits.js';

/**
 * Limits the requests of who has shown who they are, by the general limits for users, API keys and
 * organizations and by those of the route. It stands behind authentication.
 */
@Injectable()
export class RateLimitGuard implements CanActivate, RouteGuard {
  private readonly checks = new RouteChecks((handler, controller) => {
    const rules = this.rulesOf(handler, controller);
    return new RouteLimits(this.limits, routesOf(handler, controller), rules).check;
  });

  constructor(
    private readonly limits: RateLimits,
    private readonly reflector: Reflector,
  ) {}

  /** @throws RateLimitedError RATE_LIMITED */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    return this.checks.ask(context);
  }

  checkOf(handler: object, controller: object): RouteCheck | undefined {
    return this.checks.of(handler, controller);
  }

  private rulesOf(handler: object, controller: object): readonly RateRule[] {
    const targets = [handler, controller] as Parameters<Reflector['getAllAndOverride']>[1];
    return this.reflector.getAllAndOverride<RateRule[] | undefined>(RATE_RULES, targets) ?? [];
  }
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
