import { PantheonError } from '#libs/core';

/** The cache was given options or a call that cannot work; the message says which and why. */
export class CacheOptionsError extends PantheonError {
  constructor(message: string) {
    super('CACHE_OPTIONS_INVALID', message, { kind: 'internal' });
  }
}
