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
