import { PantheonError } from '#libs/core';

/** Decorators that make no sense; the message says all that is wrong. */
export class RateLimitDecoratorError extends PantheonError {
  constructor(readonly problems: readonly string[]) {
    super('RATE_LIMIT_DECORATOR_INVALID', problems.join('\n'), { kind: 'internal' });
  }
}
