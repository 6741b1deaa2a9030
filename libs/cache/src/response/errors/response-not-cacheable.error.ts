import { PantheonError } from '#libs/core';

/** A handler with `@Cacheable` answers in a way that cannot be stored. */
export class ResponseNotCacheableError extends PantheonError {
  constructor(
    readonly handler: string,
    reason: string,
  ) {
    super(
      'CACHE_RESPONSE_NOT_CACHEABLE',
      `The response of ${handler} cannot be cached: ${reason}. Take @Cacheable away from it, or return the answer.`,
      { kind: 'internal' },
    );
  }
}
