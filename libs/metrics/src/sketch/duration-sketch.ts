import { bucketOf, BUCKETS, middleMs } from './duration-buckets.js';

/** A finished sketch with only the buckets that hold something. */
export interface CompactSketch {
  readonly buckets: Uint16Array;
  readonly counts: Uint32Array;
  readonly count: number;
  readonly sumMs: number;
  readonly minMs: number;
  readonly maxMs: number;
}

/**
 * Counts durations so that any percentile can be told within 0.8 %; count, sum, minimum and
 * maximum are exact. Recording is O(1) and allocates nothing; sketches can be added up.
 */
export class DurationSketch {
  readonly counts = new Uint32Array(BUCKETS);
  count = 0;
  sumMs = 0;
  minMs = Number.POSITIVE_INFINITY;
  maxMs = 0;

  record(ms: number): void {
    const bucket = bucketOf(ms);
    this.counts[bucket] = (this.counts[bucket] as number) + 1;
    this.count += 1;
    this.sumMs += ms;
    if (ms < this.minMs) this.minMs = ms;
    if (ms > this.maxMs) this.maxMs = ms;
  }

  add(other: CompactSketch): void {
    const { buckets, counts } = other;
    for (let at = 0; at < buckets.length; at += 1) {
      const bucket = buckets[at] as number;
      this.counts[bucket] = (this.counts[bucket] as number) + (counts[at] as number);
    }
    this.count += other.count;
    this.sumMs += other.sumMs;
    this.minMs = Math.min(this.minMs, other.minMs);
    this.maxMs = Math.max(this.maxMs, other.maxMs);
  }

  /**
   * Percentiles by nearest rank, for shares in ascending order; null each when nothing was
   * recorded. One pass for all of them.
   */
  percentiles(shares: readonly number[]): (number | null)[] {
    const result: (number | null)[] = [];
    let seen = 0;
    let bucket = -1;
    for (const share of shares) {
      const rank = Math.max(1, Math.ceil(share * this.count));
      while (seen < rank && bucket < BUCKETS - 1) {
        bucket += 1;
        seen += this.counts[bucket] as number;
      }
      // The ends are known exactly, and a single value is both of them.
      const clamped = Math.min(Math.max(middleMs(bucket), this.minMs), this.maxMs);
      result.push(this.count === 0 ? null : clamped);
    }
    return result;
  }

  compact(): CompactSketch {
    let used = 0;
    for (const count of this.counts) if (count > 0) used += 1;
    const buckets = new Uint16Array(used);
    const counts = new Uint32Array(used);
    let at = 0;
    for (let bucket = 0; bucket < BUCKETS && at < used; bucket += 1) {
      const count = this.counts[bucket] as number;
      if (count === 0) continue;
      buckets[at] = bucket;
      counts[at] = count;
      at += 1;
    }
    const { count, sumMs, minMs, maxMs } = this;
    return { buckets, counts, count, sumMs, minMs, maxMs };
  }

  clear(): void {
    if (this.count > 0) this.counts.fill(0);
    this.count = 0;
    this.sumMs = 0;
    this.minMs = Number.POSITIVE_INFINITY;
    this.maxMs = 0;
  }
}
