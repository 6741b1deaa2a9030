import { eventChannel } from '#libs/core';
import type { LimitedBy } from './gcra/rate-policy.js';

/** A request that was refused. */
export interface RateLimitRefusal {
  readonly policy: string;
  readonly by: LimitedBy;
  /** Whose budget it was: the id of a user, a key or an organization, or an address. */
  readonly key: string;
  readonly retryAfterSeconds: number;
}

/** Whether the processes share their budgets, or each goes by its part because the store is away. */
export interface RateLimitStoreState {
  readonly store: 'redis' | 'postgres' | 'memory';
  readonly state: 'shared' | 'local';
  readonly error?: unknown;
}

/** Every refused request. */
export const rateLimitRefused = eventChannel<RateLimitRefusal>('pantheon.resilience.rate-limited');

/** The store of the limits went away or came back. */
export const rateLimitStoreChanged = eventChannel<RateLimitStoreState>(
  'pantheon.resilience.rate-limit-store',
);

/** Time that the store took to answer, in milliseconds. */
export const rateLimitStoreAnswered = eventChannel<number>(
  'pantheon.resilience.rate-limit-store-answered',
);
