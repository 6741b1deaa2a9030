import type { Grant, Take } from '../gcra/held-bucket.js';

/** The budgets that all processes share. */
export abstract class RateLimitStore {
  abstract readonly name: 'memory' | 'redis' | 'postgres';

  /**
   * Takes from each bucket in one step that nothing comes between, by the clock of the store. It may
   * fail or never answer; who calls it looks after that.
   * @returns a grant for each of them, in their order
   */
  abstract take(takes: readonly Take[]): Promise<readonly Grant[]>;

  /** Answers when the store can be reached, connecting again if need be. */
  abstract probe(): Promise<void>;

  /**
   * Gives up a connection that does not answer, and with it whatever waits for an answer; the next call
   * goes over another one. One that is only being made is left alone: that ends by itself.
   */
  abstract reset(): void;

  /** May be called twice. */
  abstract close(): Promise<void>;
}

/**
 * Under which a bucket is kept. Units belong to a period, so a policy with another period has other
 * buckets.
 */
export function bucketName({ key, policy }: Take): string {
  return `${policy.name}/${policy.periodMs}/${key}`;
}
