import type { Clock } from '#libs/core';
import { fullBucket, type Grant, type HeldBucket, take, type Take } from '../gcra/held-bucket.js';
import { KeyTable } from '../limiter/key-table.js';
import { bucketName, RateLimitStore } from './rate-limit-store.js';

export interface MemoryRateLimitStoreOptions {
  readonly clock: Clock;
  /** Most buckets; those idle for the longest time go first. */
  readonly maxKeys: number;
}

/** Buckets in the memory of a process, for several limiters in it. */
export class MemoryRateLimitStore extends RateLimitStore {
  readonly name = 'memory';
  private readonly clock: Clock;
  private readonly table: KeyTable<HeldBucket>;

  constructor({ clock, maxKeys }: MemoryRateLimitStoreOptions) {
    super();
    this.clock = clock;
    this.table = new KeyTable(() => fullBucket(this.nowUs()), maxKeys);
  }

  async take(takes: readonly Take[]): Promise<readonly Grant[]> {
    return takes.map((one) => take(this.table.touch(bucketName(one)), one, this.nowUs()));
  }

  probe(): Promise<void> {
    return Promise.resolve();
  }

  /** There is no connection. */
  reset(): void {}

  close(): Promise<void> {
    this.table.clear();
    return Promise.resolve();
  }

  private nowUs(): number {
    return Math.floor(this.clock.monotonicMs() * 1_000);
  }
}
