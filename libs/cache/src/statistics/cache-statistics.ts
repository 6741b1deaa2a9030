import type { LevelCounts } from '../engine/tier-stack.js';
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

export interface CacheStatistics extends CacheCounts {
  readonly namespace: string;
  /** 0 to 1, over all reads; 0 without any. */
  readonly hitRatio: number;
  readonly items: number;
  readonly bytes: number;
  /** One hit in 64 is counted. */
  readonly hotKeys: readonly TopKey[];
  readonly missedKeys: readonly TopKey[];
}

export interface LevelStatistics extends LevelCounts {
  readonly level: string;
  readonly tier: string;
  readonly state: string;
}
