import type { CacheEntry } from '../entry/cache-entry.js';
import type { CodecCounts } from '../entry/codec-counts.js';

/** What a level answers to a read. */
export interface TierRead {
  /** Absent on a miss. It may be stale: the reader looks at its times and versions. */
  readonly entry: CacheEntry | undefined;
  /**
   * Names the last write or deletion of the key, as far as it is remembered; `''` for none. A value
   * that is loaded because of this read is stored only if the fence is still the same.
   */
  readonly fence: string;
  /** As it lies in the store; absent on a miss and where nothing is serialised. */
  readonly bytes?: number | undefined;
}

/** What the store of a level holds; what it cannot tell cheaply is undefined. */
export interface TierUsage {
  /** Entries of this cache. */
  readonly items?: number | undefined;
  /** What they take, or what the whole store takes where it has nothing more exact. */
  readonly bytes?: number | undefined;
  /** Bound of the store, if it has one. */
  readonly maxBytes?: number | undefined;
}

/** One write of a level. */
export interface TierWrite {
  readonly key: string;
  readonly entry: CacheEntry;
  /**
   * From the read that caused the write: nothing is stored if the key was written or deleted since.
   * Without it the write stands above what is there, and refuses all that was read before.
   */
  readonly fence?: string;
}

export interface TierCall {
  /** Ends the waiting; what the level does with a call that has been sent is up to it. */
  readonly signal?: AbortSignal;
}

/**
 * One level below the first: a store that several processes may share. It never decides whether an
 * entry is fresh. A method rejects when the store does not answer; who calls it goes on without
 * (see `Gate`, which gives every call a time-out and a breaker).
 *
 * Fences make it safe: `delete` and `set` without a fence leave a new one, remembered for at least
 * `fenceMs`, and `set` with a fence compares and stores in one step, also against other processes
 * if `isAtomic`.
 */
export abstract class CacheTier {
  /** Names the level in statistics and events, such as `redis`. */
  abstract readonly name: string;
  /** Whether comparing the fence and storing is one step for every process. */
  abstract readonly isAtomic: boolean;
  /** How long a fence is remembered; a load that takes longer is not stored here. */
  abstract readonly fenceMs: number;

  /** What was written to the store and read from it; undefined where nothing is serialised. */
  get traffic(): CodecCounts | undefined {
    return undefined;
  }

  abstract get(key: string, call?: TierCall): Promise<TierRead>;

  /** In the order of `keys`, in one round trip. */
  abstract getMany(keys: readonly string[], call?: TierCall): Promise<TierRead[]>;

  /** Whether the entry was stored; false when its fence was outdated. */
  abstract set(write: TierWrite, call?: TierCall): Promise<boolean>;

  /** In the order of `writes`, in one round trip. */
  abstract setMany(writes: readonly TierWrite[], call?: TierCall): Promise<boolean[]>;

  /** Whether there was an entry. */
  abstract delete(key: string, call?: TierCall): Promise<boolean>;

  /** How many entries there were. */
  abstract deleteMany(keys: readonly string[], call?: TierCall): Promise<number>;

  /** Removes every entry for good. Costly; the engine itself clears by versions. */
  abstract clear(call?: TierCall): Promise<void>;

  /** Removes entries that have expired and returns their number; 0 where the store does it itself. */
  sweep(_call?: TierCall): Promise<number> {
    return Promise.resolve(0);
  }

  /** Expired entries that this process has removed so far. */
  get swept(): number {
    return 0;
  }

  /** What the store holds, as far as it can tell without walking over its entries. */
  usage(_call?: TierCall): Promise<TierUsage | undefined> {
    return Promise.resolve(undefined);
  }

  /** Gives back what the tier itself opened; connections that were handed in stay open. */
  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Remembers fences for five minutes: loaders that take longer store in memory only. */
export const DEFAULT_FENCE_MS = 300_000;
