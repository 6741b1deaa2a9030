import type { CacheStatistics } from '../../statistics/cache-statistics.js';

/** What a strategy has done since this process opened it, or within a window. */
export interface StrategyFigures {
  readonly reads: number;
  readonly hits: number;
  readonly misses: number;
  /** Went past the cache because the strategy was disabled. */
  readonly passed: number;
  readonly loads: number;
  readonly hitRatio: number;
  /** Mean of a read in milliseconds, with the loading of what was missing. */
  readonly latencyMs: number;
  /** Mean of a load in milliseconds. */
  readonly loadMs: number;
  /** Of the first level. */
  readonly items: number;
  readonly bytes: number;
  readonly maxBytes: number;
  readonly evictions: number;
}

/** Sums that only rise, from which the figures of any window follow. */
export interface StrategyCounts {
  readonly reads: number;
  readonly hits: number;
  readonly passed: number;
  readonly loads: number;
  readonly loadMs: number;
  readonly lookUpMs: number;
  readonly evictions: number;
}

const NAMES = ['reads', 'hits', 'passed', 'loads', 'loadMs', 'lookUpMs', 'evictions'] as const;

export function countsOf(statistics: readonly CacheStatistics[], passed: number): StrategyCounts {
  const sum = (pick: (one: CacheStatistics) => number): number =>
    statistics.reduce((total, one) => total + pick(one), 0);
  return {
    reads: sum(({ l1Hits, l1Misses }) => l1Hits + l1Misses),
    hits: sum(({ l1Hits, sharedHits, staleHits }) => l1Hits + sharedHits + staleHits),
    passed,
    loads: sum(({ loads }) => loads),
    loadMs: sum(({ loadMs }) => loadMs),
    lookUpMs: sum(({ lookUpMs }) => lookUpMs),
    evictions: sum(({ removed }) => removed.size),
  };
}

/** What was counted between two moments. */
export function between(before: StrategyCounts, after: StrategyCounts): StrategyCounts {
  const difference = {} as Record<(typeof NAMES)[number], number>;
  for (const name of NAMES) difference[name] = Math.max(0, after[name] - before[name]);
  return difference;
}

export function figuresOf(
  counts: StrategyCounts,
  statistics: readonly CacheStatistics[],
): StrategyFigures {
  const { reads, hits, passed, loads, loadMs, lookUpMs, evictions } = counts;
  const sum = (pick: (one: CacheStatistics) => number): number =>
    statistics.reduce((total, one) => total + pick(one), 0);
  return {
    reads,
    hits,
    misses: reads - hits,
    passed,
    loads,
    hitRatio: reads === 0 ? 0 : hits / reads,
    latencyMs: reads === 0 ? 0 : (lookUpMs + loadMs) / reads,
    loadMs: loads === 0 ? 0 : loadMs / loads,
    items: sum(({ items }) => items),
    bytes: sum(({ bytes }) => bytes),
    maxBytes: sum(({ maxBytes }) => maxBytes),
    evictions,
  };
}
