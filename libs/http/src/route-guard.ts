import type { CanActivate } from '@nestjs/common';
import type { AuthenticatedRequest } from './current-principal.decorator.js';

/** The headers that say who is asking. */
export interface CredentialHeaders {
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
export type RouteCheck = (request: GuardedRequest) => Promise<void> | void;

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
