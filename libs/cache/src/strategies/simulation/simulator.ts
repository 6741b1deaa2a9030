import type { EvictionPolicyFactory } from '../../l1/eviction-policy.js';
import { ShadowCache } from '../../l1/shadow-cache.js';
import { sampled, type Workload } from '../workload/workload.js';
import { mix32 } from './mix32.js';
import { TimeSlices } from './time-slices.js';

/** What a cache costs for an entry beside its value: key, slots, times. */
export const ENTRY_BYTES = 220;
const FIRST_SLOTS = 64;
/** Reads between two looks at the clock. */
const READS_PER_LOOK = 1_024;
/** Reads of a run are counted in so many blocks of time, for the spread. */
export const BLOCKS = 10;

/** The cache that is simulated. */
export interface SimulatedCache {
  readonly policy: EvictionPolicyFactory;
  readonly maxBytes: number;
  readonly maxItems?: number | undefined;
  readonly ttlMs?: number | undefined;
}

export interface SimulationOptions {
  /** Part of the keys that are followed, with the same part of the room. Default 1. */
  readonly rate?: number;
  /** Part of the reads at the start that fill the cache and are not counted. Default 0. */
  readonly warmUp?: number;
  readonly signal?: AbortSignal | undefined;
}

/** What a cache would have done. */
export interface Outcome {
  readonly reads: number;
  readonly hits: number;
  readonly hitRatio: number;
  /** Part of all reads that got a value which had changed at its source; 0 if nobody knows. */
  readonly staleRatio: number;
  /** Hits and reads by block of time, for comparisons. */
  readonly blocks: readonly { readonly reads: number; readonly hits: number }[];
}

/**
 * Replays a workload against a cache of keys without values, as a read-through cache would see it.
 * It gives other work a turn every few milliseconds.
 */
export async function simulate(
  given: Workload,
  cache: SimulatedCache,
  { rate = 1, warmUp = 0, signal }: SimulationOptions = {},
): Promise<Outcome> {
  const workload = sampled(given, rate);
  const { reads, timesMs, versions, bytes } = workload;
  const limits = {
    maxItems: Math.max(1, Math.round((cache.maxItems ?? Number.POSITIVE_INFINITY) * rate)),
    maxBytes: cache.maxBytes * rate,
  };
  const shadow = new ShadowCache(cache.policy, FIRST_SLOTS, limits);
  const ttlMs = cache.ttlMs ?? Number.POSITIVE_INFINITY;
  const expiry = new Float64Array(workload.keys.length);
  const cached = new Uint32Array(versions === undefined ? 0 : workload.keys.length);
  const start = Math.floor(reads.length * warmUp);
  const blocks = Array.from({ length: BLOCKS }, () => ({ reads: 0, hits: 0 }));
  const slices = new TimeSlices();
  let stale = 0;
  for (let at = 0; at < reads.length; at += 1) {
    if (at % READS_PER_LOOK === 0 && slices.isOver) {
      await slices.pause();
      signal?.throwIfAborted();
    }
    const key = reads[at] as number;
    const hash = mix32(key);
    const nowMs = timesMs[at] as number;
    if ((expiry[key] as number) <= nowMs) shadow.delete(hash);
    const isHit = shadow.access(hash, weightOf(bytes[key] as number));
    if (!isHit) {
      expiry[key] = nowMs + ttlMs;
      if (versions !== undefined) cached[key] = versions[at] as number;
    }
    if (at < start) continue;
    const block = blocks[Math.floor(((at - start) * BLOCKS) / (reads.length - start))];
    if (block === undefined) continue;
    block.reads += 1;
    if (!isHit) continue;
    block.hits += 1;
    if (versions !== undefined && cached[key] !== versions[at]) stale += 1;
  }
  const all = reads.length - start;
  const hits = blocks.reduce((sum, block) => sum + block.hits, 0);
  return {
    reads: all,
    hits,
    hitRatio: all === 0 ? 0 : hits / all,
    staleRatio: all === 0 ? 0 : stale / all,
    blocks,
  };
}

/** Bytes that an entry with a value of so many bytes takes in memory. */
export function weightOf(valueBytes: number): number {
  return Math.min(2 ** 32 - 1, Math.ceil(valueBytes + ENTRY_BYTES));
}
