import type { CacheStatistics } from '../statistics/cache-statistics.js';

const MIB = 1024 * 1024;

/** What one level did for several namespaces together. */
export interface LevelFigures {
  readonly level: string;
  readonly hits: number;
  readonly misses: number;
  /** 0 to 1, over the reads that reached the level; null without any. */
  readonly hitRatio: number | null;
  /** Of one look-up; null when none was timed. */
  readonly meanMs: number | null;
}

/** The counts from which the figures of a manager follow. */
export interface ManagerCounts {
  readonly reads: number;
  readonly hits: number;
  readonly l1Hits: number;
  readonly staleHits: number;
  readonly loads: number;
  readonly loadFailures: number;
  readonly loadMs: number;
  readonly loadTimeSavedMs: number;
  readonly lookUpMs: number;
  readonly writes: number;
  readonly items: number;
  readonly bytes: number;
}

export interface ManagerFigures {
  readonly counts: ManagerCounts;
  /** `hits / reads`; null without a read. */
  readonly hitRatio: number | null;
  /** `(lookUpMs + loadMs) / reads`: what a caller waits on average; null without a read. */
  readonly meanLatencyMs: number | null;
  /** `l1Hits / (bytes / 2^20)`: answers that a mebibyte of memory has given; null while empty. */
  readonly hitsPerMebibyte: number | null;
  /** `loadTimeSavedMs / lookUpMs`: seconds of loading saved by a second of looking; null without. */
  readonly savedPerCacheSecond: number | null;
  readonly levels: LevelFigures[];
}

/** The figures of namespaces taken together. Each follows from `counts` by the formula beside it. */
export function managerFigures(statistics: readonly CacheStatistics[]): ManagerFigures {
  const sum = (of: (one: CacheStatistics) => number): number =>
    statistics.reduce((total, one) => total + of(one), 0);
  const counts: ManagerCounts = {
    reads: sum(({ l1Hits, l1Misses }) => l1Hits + l1Misses),
    hits: sum(({ l1Hits, sharedHits, staleHits }) => l1Hits + sharedHits + staleHits),
    l1Hits: sum(({ l1Hits }) => l1Hits),
    staleHits: sum(({ staleHits }) => staleHits),
    loads: sum(({ loads }) => loads),
    loadFailures: sum(({ loadFailures }) => loadFailures),
    loadMs: sum(({ loadMs }) => loadMs),
    loadTimeSavedMs: sum(({ loadTimeSavedMs }) => loadTimeSavedMs),
    lookUpMs: sum(({ lookUpMs }) => lookUpMs),
    writes: sum(({ writes }) => writes),
    items: sum(({ items }) => items),
    bytes: sum(({ bytes }) => bytes),
  };
  return {
    counts,
    hitRatio: ratio(counts.hits, counts.reads),
    meanLatencyMs: ratio(counts.lookUpMs + counts.loadMs, counts.reads),
    hitsPerMebibyte: ratio(counts.l1Hits, counts.bytes / MIB),
    savedPerCacheSecond: ratio(counts.loadTimeSavedMs, counts.lookUpMs),
    levels: levelFigures(statistics),
  };
}

/** What each level did for the namespaces, the fastest level first. */
export function levelFigures(statistics: readonly CacheStatistics[]): LevelFigures[] {
  const sums = new Map<string, { hits: number; misses: number; ms: number; timed: number }>();
  for (const { level, hits, misses, meanMs, timed } of statistics.flatMap(({ levels }) => levels)) {
    const known = sums.get(level) ?? { hits: 0, misses: 0, ms: 0, timed: 0 };
    known.hits += hits;
    known.misses += misses;
    known.ms += meanMs * timed;
    known.timed += timed;
    sums.set(level, known);
  }
  return [...sums].map(([level, { hits, misses, ms, timed }]) => ({
    level,
    hits,
    misses,
    hitRatio: ratio(hits, hits + misses),
    meanMs: ratio(ms, timed),
  }));
}

function ratio(part: number, whole: number): number | null {
  return whole > 0 ? part / whole : null;
}
