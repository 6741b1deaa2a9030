import { PantheonError } from '#libs/core';
import type { RatePolicy } from '../gcra/rate-policy.js';

const WHOSE = {
  user: 'this user',
  key: 'this API key',
  address: 'this address',
  organization: 'this organization',
} as const;

/** Too many requests by one who is limited. */
export class RateLimitedError extends PantheonError {
  private constructor({ by }: RatePolicy, retryAfterSeconds: number) {
    super(
      'RATE_LIMITED',
      `Too many requests of ${WHOSE[by]}; try again in ${retryAfterSeconds} s.`,
      { kind: 'rate-limited', retryAfterSeconds },
    );
  }

  /** Without a stack: it tells nothing, and a flood of refusals must be cheap. */
  static of(policy: RatePolicy, waitUs: number): RateLimitedError {
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    try {
      return new RateLimitedError(policy, Math.ceil(waitUs / 1_000_000));
    } finally {
      Error.stackTraceLimit = stackTraceLimit;
    }
  }
}
