import { BUCKETS, lowerBoundMs } from './duration-buckets.js';
import { type CompactSketch, DurationSketch } from './duration-sketch.js';
import { SlotRing } from './time-slots.js';

/** Upper bounds of the exported histogram, in seconds. Six of nine fall on bucket bounds. */
export const EXPORT_BOUNDS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5] as const;

const BOUNDS = EXPORT_BOUNDS_SECONDS.length;
/** Which exported bound each bucket counts for; the last means beyond all of them. */
const BOUND_OF_BUCKET = Uint8Array.from({ length: BUCKETS }, (_, bucket) => {
  const seconds = lowerBoundMs(bucket) / 1_000;
  const bound = EXPORT_BOUNDS_SECONDS.findIndex((upper) => seconds < upper);
  return bound === -1 ? BOUNDS : bound;
});

/**
 * Durations of one kind: of each of the last slots apart, for windows, and since the start, for
 * Prometheus. Finished slots take only the room of what they hold.
 */
export class WindowedSketch {
  private readonly current = new DurationSketch();
  private readonly finished = new SlotRing<CompactSketch>();
  private readonly countsByBound = new Float64Array(BOUNDS + 1);
  private totalCount = 0;
  private totalSumMs = 0;

  record(ms: number): void {
    this.current.record(ms);
  }

  /** Ends the current slot and begins the next; `slots` of them when some were missed. */
  advance(slots: number): void {
    if (this.current.count > 0) {
      const finished = this.current.compact();
      this.addTo(this.countsByBound, this.current);
      this.totalCount += finished.count;
      this.totalSumMs += finished.sumMs;
      this.finished.current = finished;
      this.current.clear();
    }
    this.finished.advance(slots);
  }

  /** What was recorded in the slot `age` slots ago; 0 is the current one. */
  slot(age: number): CompactSketch | undefined {
    if (age > 0) return this.finished.at(age);
    return this.current.count === 0 ? undefined : this.current.compact();
  }

  /** Since the start: how many up to each exported bound and in all, and their sum. */
  total(): { readonly cumulative: number[]; readonly count: number; readonly sumMs: number } {
    const counts = Float64Array.from(this.countsByBound);
    if (this.current.count > 0) this.addTo(counts, this.current);
    let sum = 0;
    const cumulative = Array.from(counts.subarray(0, BOUNDS), (count) => (sum += count));
    return {
      cumulative,
      count: this.totalCount + this.current.count,
      sumMs: this.totalSumMs + this.current.sumMs,
    };
  }

  private addTo(counts: Float64Array, { counts: byBucket }: DurationSketch): void {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      const count = byBucket[bucket] as number;
      if (count === 0) continue;
      const bound = BOUND_OF_BUCKET[bucket] as number;
      counts[bound] = (counts[bound] as number) + count;
    }
  }
}
