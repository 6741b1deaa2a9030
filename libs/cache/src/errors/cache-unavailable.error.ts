import { PantheonError } from '#libs/core';

/** A level, the version store or the backplane did not answer; the cache goes on without it. */
export class CacheUnavailableError extends PantheonError {
  constructor(
    readonly part: string,
    reason: string,
    cause?: unknown,
  ) {
    super('CACHE_PART_UNAVAILABLE', `The cache part "${part}" is unavailable: ${reason}.`, {
      kind: 'unavailable',
      cause,
    });
  }
}
