import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { type RouteCheck, RouteChecks, type RouteGuard } from '#libs/http';
import { RateLimits } from '../rate-limits.js';
import { routesOf, rulesOf } from './decorated-route.js';
import { RouteLimits } from './route-limits.js';

/**
 * Limits the requests of who has shown who they are, by the general limits for users, API keys and
 * organizations and by those of the route. It stands behind authentication.
 */
@Injectable()
export class RateLimitGuard implements CanActivate, RouteGuard {
  private readonly checks = new RouteChecks((handler, controller) => {
    const rules = rulesOf(this.reflector, handler, controller);
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
}
