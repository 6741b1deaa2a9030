import { PantheonError } from '#libs/core';

/** Decorators of the cache cannot do what they say; each problem says where and what to do. */
export class CacheDecoratorError extends PantheonError {
  constructor(readonly problems: readonly string[]) {
    super('CACHE_DECORATOR_INVALID', problems.join('\n'), { kind: 'internal' });
  }
}
