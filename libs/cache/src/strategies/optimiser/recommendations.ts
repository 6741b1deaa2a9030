import type { CacheStatistics } from '../../statistics/cache-statistics.js';
import type { CacheStrategy } from '../model/cache-strategy.js';
import { inBytes, inPercent } from '../planning/plan-rules.js';
import { weightOf } from '../simulation/simulator.js';
import type { Workload } from '../workload/workload.js';

const FULL = 0.95;
const MANY_ONCE = 0.7;
const POOR_HIT_RATIO = 0.3;
const MANY_DISCARDED = 0.05;

interface Seen {
  readonly strategy: CacheStrategy;
  readonly statistics: readonly CacheStatistics[];
  readonly workload: Workload;
  readonly isRecorded: boolean;
  readonly mostBytes: number;
}

/** What a person could do that an optimisation may not. */
export function recommendationsFor(seen: Seen): string[] {
  const { strategy, statistics, workload, isRecorded, mostBytes } = seen;
  const sum = (pick: (one: CacheStatistics) => number): number =>
    statistics.reduce((total, one) => total + pick(one), 0);
  const said: string[] = [];
  if (!isRecorded) {
    said.push(
      'Too few reads were recorded to choose changes; optimise it again under traffic, and see that cacheLearning.recordedReads is not 0.',
    );
    return said;
  }
  const { maxBytes, ttlMs } = strategy.configuration;
  const once = onceShareOf(workload);
  const reads = sum(({ l1Hits, l1Misses }) => l1Hits + l1Misses);
  const hits = sum(({ l1Hits, sharedHits, staleHits }) => l1Hits + sharedHits + staleHits);
  const isFull = sum(({ bytes }) => bytes) > FULL * maxBytes;
  if (isFull && maxBytes >= mostBytes * FULL) {
    said.push(
      `It fills all of the ${inBytes(mostBytes)} that it may have: raise cache.l1MaxBytes or the share of its kind.`,
    );
  }
  if (once > MANY_ONCE) {
    said.push(
      `${inPercent(once)} of the recorded keys were read once: see whether the key has a part that need not be in it.`,
    );
  }
  if (reads > 0 && hits / reads < POOR_HIT_RATIO && !isFull) {
    said.push(
      `It answers ${inPercent(hits / reads)} of the reads with room to spare: entries end or are invalidated before they are read again; the life is ${ttlMs} ms.`,
    );
  }
  const loads = sum((one) => one.loads);
  const discarded = sum((one) => one.discarded);
  if (loads > 0 && discarded / loads > MANY_DISCARDED) {
    said.push(
      `${inPercent(discarded / loads)} of the loaded values were invalidated while they were loaded: narrower tags would keep more.`,
    );
  }
  const failures = sum((one) => one.loadFailures);
  if (failures > 0) said.push(`${failures} loads failed; stale entries could stand in (staleMs).`);
  return said;
}

/** Part of the bytes held whose key was read more than once. */
export function rereadShareOf(workload: Workload, statistics: readonly CacheStatistics[]): number {
  const counts = new Uint32Array(workload.keys.length);
  for (const key of workload.reads) counts[key] = (counts[key] as number) + 1;
  let reread = 0;
  for (const [key, count] of counts.entries()) {
    if (count > 1) reread += weightOf(workload.bytes[key] as number);
  }
  const held = statistics.reduce((sum, { bytes }) => sum + bytes, 0);
  return held === 0 ? 0 : Math.min(1, reread / held);
}

function onceShareOf({ reads, keys }: Workload): number {
  const counts = new Uint32Array(keys.length);
  for (const key of reads) counts[key] = (counts[key] as number) + 1;
  return counts.filter((count) => count === 1).length / Math.max(1, keys.length);
}
