import { PantheonError } from '#libs/core';

/** A loader took longer than its hard time-out, and there was no stale value to serve. */
export class CacheLoadTimeoutError extends PantheonError {
  constructor(
    readonly key: string,
    readonly timeoutMs: number,
  ) {
    super('CACHE_LOAD_TIMEOUT', `The value of "${key}" was not loaded within ${timeoutMs} ms.`, {
      kind: 'timeout',
    });
  }
}
