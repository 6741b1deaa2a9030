import type { CodecCounts } from '../entry/codec-counts.js';
import type { RemovalReason } from '../l1/memory-store.types.js';
import type { TopKey } from './top-keys.js';

/** Counts of one cache since it was made. */
export interface CacheCounts {
  readonly l1Hits: number;
  /** Reads that the first level could not answer with something fresh. */
  readonly l1Misses: number;
  /** Reads by where their answer came from, beside the first level. */
  readonly sharedHits: number;
  readonly staleHits: number;
  readonly loads: number;
  readonly loadFailures: number;
  /** Loaded values that were not stored, because they were invalidated meanwhile. */
  readonly discarded: number;
  readonly loadMs: number;
  readonly writes: number;
  readonly invalidations: number;
}

/** What one level did for the reads of one cache. */
export interface LevelReads {
  readonly level: string;
  readonly hits: number;
  readonly misses: number;
  /** 0 to 1, over the reads that reached the level; 0 without any. */
  readonly hitRatio: number;
  /** Of one look-up, in milliseconds; of the first level by timing one hit in 1,024 again. */
  readonly meanMs: number;
  /** Look-ups that the mean is taken over; one of many keys counts once. */
  readonly timed: number;
}

/**
 * What a cache has done since it was made, and what it holds. Every figure is a count, or follows
 * from counts that are here too.
 */
export interface CacheStatistics extends CacheCounts {
  readonly namespace: string;
  /** 0 to 1, over all reads; 0 without any. */
  readonly hitRatio: number;
  /** The first level, then the shared ones, the fastest first. */
  readonly levels: readonly LevelReads[];
  /** Of one load, in milliseconds; 0 without any. */
  readonly meanLoadMs: number;
  /** The mean of a load, for each answer that needed none. */
  readonly loadTimeSavedMs: number;
  /** Spent on looking into the levels, the first one estimated from its mean. */
  readonly lookUpMs: number;
  /** Of the first level. */
  readonly items: number;
  readonly bytes: number;
  readonly maxItems: number;
  readonly maxBytes: number;
  readonly policy: string;
  /** Values that were put into the first level. */
  readonly sets: number;
  /** Entries that left the first level, by reason; a replaced value is not a removal. */
  readonly removed: Readonly<Record<RemovalReason, number>>;
  /** Entries that were too large for the whole first level. */
  readonly rejected: number;
  /** One hit in 64 is counted. */
  readonly hotKeys: readonly TopKey[];
  readonly missedKeys: readonly TopKey[];
}

/** Counts of one shared level, over all caches of a hub. */
export interface LevelCounts {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  /** Writes that were refused because the key was invalidated meanwhile. */
  readonly refused: number;
  readonly deletes: number;
  /** Calls that failed or were not answered in time. */
  readonly errors: number;
  /** Calls that were not tried because the breaker was open. */
  readonly skipped: number;
  /** Calls that were answered, of whatever kind, and the time that they took. */
  readonly answered: number;
  readonly answeredMs: number;
}

export interface LevelStatistics extends LevelCounts {
  readonly level: string;
  readonly tier: string;
  /** Of its breaker. */
  readonly state: 'closed' | 'open' | 'half-open';
  /** Whether it is read and filled. */
  readonly isEnabled: boolean;
  readonly timeoutMs: number;
  /** Longest life in this level, whatever an entry asks for; null for no such limit. */
  readonly ttlMs: number | null;
  /** Of one call that was answered, in milliseconds; 0 without any. */
  readonly meanMs: number;
  /** Undefined where nothing is serialised. */
  readonly traffic: CodecCounts | undefined;
  /** Expired entries that this process has removed from it. */
  readonly swept: number;
}

/** One key in one level. */
export interface KeyInfo {
  readonly level: string;
  /** `invalid`: it lies there, and a tag, its namespace or everything was invalidated since. */
  readonly state: 'fresh' | 'stale' | 'invalid' | 'unknown';
  readonly createdMs: number;
  /** Until it is no longer fresh; 0 or less for what is stale. */
  readonly ttlLeftMs: number;
  /** In memory with its share of the tables, elsewhere as written; undefined where nothing is serialised. */
  readonly bytes: number | undefined;
  readonly tags: readonly string[];
}
