import { PantheonError } from '#libs/core';

/** A value cannot be told apart from others in a key; the message says which and what to do. */
export class CacheKeyError extends PantheonError {
  constructor(
    /** Which value, such as `argument 0.filter.owner`. */
    readonly where: string,
    reason: string,
  ) {
    super(
      'CACHE_KEY_INVALID',
      `A cache key cannot hold ${where}: ${reason}. Give a key of what tells the calls apart.`,
      { kind: 'internal' },
    );
  }
}
