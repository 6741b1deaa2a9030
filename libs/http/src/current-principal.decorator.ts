import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { type Credential, PantheonError, type Principal } from '#libs/core';

/** A request that authentication has looked at. */
export interface AuthenticatedRequest {
  principal?: Principal;
  credential?: Credential;
}

/** Injects who is asking into a handler's parameter. Only for handlers that are not public. */
export const CurrentPrincipal = createParamDecorator((_: unknown, context: ExecutionContext) => {
  const { principal } = requestOf(context);
  if (principal === undefined) {
    throw new PantheonError('AUTH_TOKEN_MISSING', 'This route needs an access token.', {
      kind: 'unauthenticated',
    });
  }
  return principal;
});

/** Injects by what the caller has shown who they are. Only for handlers that are not public. */
export const CurrentCredential = createParamDecorator(
  (_: unknown, context: ExecutionContext) => requestOf(context).credential,
);

/** `switchToHttp` makes three functions for it, for each request. */
function requestOf(context: ExecutionContext): AuthenticatedRequest {
  return context.getArgByIndex<AuthenticatedRequest>(0);
}
