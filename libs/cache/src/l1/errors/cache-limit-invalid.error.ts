import { PantheonError } from '#libs/core';

/** A bound of a store is not a number from 0 on. */
export class CacheLimitInvalidError extends PantheonError {
  constructor(
    readonly limit: 'maxItems' | 'maxBytes',
    readonly value: number,
  ) {
    super(
      'CACHE_LIMIT_INVALID',
      `The cache limit ${limit} is ${value}; it must be a number from 0 on, or Infinity for no limit.`,
      { kind: 'invalid' },
    );
  }
}
