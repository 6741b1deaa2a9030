import { PantheonError } from '#libs/core';

/** A response that is cached for each user was asked for by nobody in particular. */
export class ResponseScopeError extends PantheonError {
  constructor(readonly handler: string) {
    super(
      'CACHE_RESPONSE_WITHOUT_PRINCIPAL',
      `${handler} caches by user or tenant, but the request has no principal. Take @Public() away from it, or "user" and "tenant" out of varyBy.`,
      { kind: 'internal' },
    );
  }
}
