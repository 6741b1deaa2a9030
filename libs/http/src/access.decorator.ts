import { Reflector } from '@nestjs/core';

/** What a caller must be allowed to do before a handler runs. */
export interface RequiredPermission {
  /** Resource path; `{name}` is replaced by the route parameter of that name. */
  readonly resource: string;
  readonly action: string;
}

/** Opens a handler or a whole controller to callers without a token. Everything else needs one. */
export const Public = Reflector.createDecorator<void>();

/**
 * Lets only callers through whose grants allow `action` on `resource`; others get 403.
 * Where the resource is known only after a look-up, ask `AccessControl` in the service instead.
 */
export const RequirePermission = Reflector.createDecorator<RequiredPermission>();

/**
 * Lets in only who has logged in and acts without limits, not an API key or a token that is limited to a
 * scope: others get 403. For what would let a credential outlive its own end or grow beyond its scope,
 * such as making credentials.
 */
export const RequireSession = Reflector.createDecorator<void>();
