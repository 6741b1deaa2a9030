import { PantheonError } from '#libs/core';

/** Decorators `@WarmUp` that can never warm anything; each problem says where and what to do. */
export class CacheWarmUpError extends PantheonError {
  constructor(readonly problems: readonly string[]) {
    super('CACHE_WARM_UP_INVALID', problems.join('\n'), { kind: 'internal' });
  }
}

/** Nothing is known that could fill the namespace. */
export class CacheWarmUpUnknownError extends PantheonError {
  constructor(namespace: string, known: readonly string[]) {
    super(
      'CACHE_WARM_UP_UNKNOWN',
      `Nothing can warm the namespace "${namespace}". ${
        known.length === 0
          ? 'No method has @WarmUp.'
          : `Namespaces with @WarmUp: ${known.join(', ')}.`
      }`,
      { kind: 'not-found' },
    );
  }
}
