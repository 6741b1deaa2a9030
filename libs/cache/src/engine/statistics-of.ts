import type { CacheStatistics, LevelReads } from '../statistics/cache-statistics.js';
import type { CacheCore, LevelTally } from './cache-core.js';

/** The statistics of a cache as they stand. */
export function statisticsOf(core: CacheCore, topKeys: number): CacheStatistics {
  const { counts, hotKeys, missedKeys, levelReads, hub } = core;
  const { hits: l1Hits } = core;
  const l1 = core.l1.stats();
  const answered = l1Hits + counts.sharedHits + counts.staleHits;
  const first = { hits: l1Hits, misses: counts.l1Misses, ...core.l1Times };
  const levels = [
    readsOf('L1', first),
    ...levelReads.map((tally, index) => readsOf(hub.stack.levels[index]?.level ?? '', tally)),
  ];
  const meanLoadMs = ratio(counts.loadMs, counts.loads);
  return {
    ...counts,
    l1Hits,
    namespace: core.namespace,
    hitRatio: ratio(answered, l1Hits + counts.l1Misses),
    levels,
    meanLoadMs,
    loadTimeSavedMs: meanLoadMs * answered,
    lookUpMs:
      (l1Hits + counts.l1Misses) * (levels[0]?.meanMs ?? 0) +
      levelReads.reduce((sum, { ms }) => sum + ms, 0),
    items: l1.items,
    bytes: l1.bytes,
    maxItems: l1.maxItems,
    maxBytes: l1.maxBytes,
    policy: l1.policy,
    sets: l1.sets,
    removed: l1.removed,
    rejected: l1.rejected,
    hotKeys: hotKeys.top(topKeys),
    missedKeys: missedKeys.top(topKeys),
  };
}

function readsOf(level: string, { hits, misses, timed, ms }: LevelTally): LevelReads {
  return {
    level,
    hits,
    misses,
    hitRatio: ratio(hits, hits + misses),
    meanMs: ratio(ms, timed),
    timed,
  };
}

function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
