import { ManualClock } from '#libs/core';
import {
  type Access,
  type EvictionPolicyFactory,
  MemoryStore,
  type Workload,
  workloadOf,
} from '#libs/cache';
import { TraceRandom } from './random.js';
import type { Trace } from './trace.js';

/** Time between two reads of a trace that has no times. */
const READ_EVERY_MS = 1;
/** Periods of change are drawn between these, evenly on a logarithmic scale. */
const CHANGE_PERIOD_MS = [20_000, 20_000_000] as const;
/** Sizes of values: log-normal with this median, and a few large ones. */
const MEDIAN_BYTES = 600;

/**
 * A trace with what it does not tell, drawn with a fixed seed: values of 100 bytes to 64 KiB, a read
 * every millisecond, and for each key a Poisson process of changes, every 20 seconds to 6 hours.
 */
export function workloadOfTrace(trace: Trace): Workload {
  const random = new TraceRandom(91);
  const sizes = Array.from({ length: trace.distinct }, () => sizeFrom(random));
  const periods = Array.from({ length: trace.distinct }, () => periodFrom(random));
  const versions = new Uint32Array(trace.distinct);
  const changesAt = Float64Array.from(periods, (period) => waitFrom(random, period));
  const accesses: Access[] = [];
  for (const [at, key] of trace.keys.entries()) {
    const atMs = at * READ_EVERY_MS;
    while ((changesAt[key] as number) <= atMs) {
      versions[key] = (versions[key] as number) + 1;
      changesAt[key] = (changesAt[key] as number) + waitFrom(random, periods[key] as number);
    }
    accesses.push({
      key: `item:${key}`,
      atMs,
      bytes: sizes[key],
      version: versions[key],
    });
  }
  return workloadOf(accesses);
}

export interface Measured {
  readonly hitRatio: number;
  readonly staleRatio: number;
}

/** Sends a workload through a real store of the first level, each miss stored for `ttlMs`. */
export function measure(
  workload: Workload,
  cache: { policy: EvictionPolicyFactory; maxBytes: number; ttlMs: number },
): Measured {
  const clock = new ManualClock(0);
  const store = new MemoryStore<number>({
    policy: cache.policy,
    maxBytes: cache.maxBytes,
    clock,
    clockResolutionMs: 0,
    hashSeed: 1,
  });
  const { reads, timesMs, versions, keys, bytes } = workload;
  let hits = 0;
  let stale = 0;
  for (const [at, key] of reads.entries()) {
    clock.advance((timesMs[at] as number) - clock.nowMs());
    const name = keys[key] as string;
    const version = versions?.[at] ?? 0;
    const held = store.get(name);
    if (held === undefined) {
      store.set(name, version, { ttlMs: cache.ttlMs, weightBytes: (bytes[key] as number) + 80 });
    } else {
      hits += 1;
      if (held !== version) stale += 1;
    }
  }
  return { hitRatio: hits / reads.length, staleRatio: stale / reads.length };
}

function sizeFrom(random: TraceRandom): number {
  // Box-Muller; 1 - next() is never 0.
  const normal =
    Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
  return Math.round(Math.min(65_536, Math.max(100, MEDIAN_BYTES * Math.exp(normal))));
}

function periodFrom(random: TraceRandom): number {
  const [shortest, longest] = CHANGE_PERIOD_MS;
  return shortest * (longest / shortest) ** random.next();
}

function waitFrom(random: TraceRandom, meanMs: number): number {
  return -Math.log(1 - random.next()) * meanMs;
}
