import type { CanActivate, ExecutionContext } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import type { AuthenticatedRequest } from './current-principal.decorator.js';

/** The headers that say who is asking, and with what. */
export interface CredentialHeaders {
  readonly 'user-agent'?: string | undefined;
  readonly authorization?: string | undefined;
  readonly 'x-api-key'?: string | string[] | undefined;
}

/** What a guard reads of a request. */
export interface GuardedRequest extends AuthenticatedRequest {
  readonly headers: CredentialHeaders;
  readonly params?: unknown;
  /** The connection that the request came by. */
  readonly socket?: object;
  /** Address of the client, as far as proxies are trusted. */
  readonly ip?: string;
}

/**
 * Lets a request through, or throws what the guard would. A promise is returned only where there is
 * something to wait for.
 */
export type RouteCheck = (request: GuardedRequest, reply: FastifyReply) => Promise<void> | void;

/**
 * A guard that works out once for a route what it asks of its requests. Who stands before Nest's
 * pipeline, as the cache of responses does, so runs it without the objects that Nest makes for each
 * request. `canActivate` must decide by the same check.
 */
export interface RouteGuard extends CanActivate {
  /** Undefined where the guard asks nothing of the requests of the handler. */
  checkOf(handler: object, controller: object): RouteCheck | undefined;
}

/** Whether a guard is one that can tell its check of a route. */
export function isRouteGuard(guard: CanActivate): guard is RouteGuard {
  return 'checkOf' in guard && typeof guard.checkOf === 'function';
}

type MakeCheck = (handler: object, controller: object) => RouteCheck | undefined;

/**
 * The checks of a guard, worked out once for each route: reading metadata each time would cost more
 * than the check. `ask` is what a guard does in `canActivate`.
 */
export class RouteChecks {
  /** By controller, for a handler may be inherited by several. */
  private readonly byHandler = new WeakMap<object, WeakMap<object, RouteCheck | null>>();

  constructor(private readonly make: MakeCheck) {}

  /** True at once where nothing has to be waited for. @throws what the check throws */
  ask(context: ExecutionContext): boolean | Promise<boolean> {
    const check = this.of(context.getHandler(), context.getClass());
    if (check === undefined) return true;
    const pending = check(context.getArgByIndex(0), context.getArgByIndex(1));
    return pending === undefined ? true : pending.then(passed);
  }

  of(handler: object, controller: object): RouteCheck | undefined {
    let byController = this.byHandler.get(handler);
    if (byController === undefined) {
      byController = new WeakMap();
      this.byHandler.set(handler, byController);
    }
    let check = byController.get(controller);
    if (check === undefined) {
      check = this.make(handler, controller) ?? null;
      byController.set(controller, check);
    }
    return check ?? undefined;
  }
}

const passed = (): boolean => true;
