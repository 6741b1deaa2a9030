/** Eight buckets in each power of two, from 2⁻⁵ ms to 2¹⁷ ms (two minutes). */
const PER_POWER = 8;
const MIN_POWER = -5;
const BUCKETS = (17 - MIN_POWER) * PER_POWER;

/** Percentiles of durations within 5 %, in 700 bytes, since there is one for each statement. */
export class LatencyBuckets {
  private readonly counts = new Uint32Array(BUCKETS);
  count = 0;

  record(ms: number): void {
    const bucket = Math.floor((Math.log2(Math.max(ms, 1e-9)) - MIN_POWER) * PER_POWER);
    const index = Math.min(BUCKETS - 1, Math.max(0, bucket));
    this.counts[index] = (this.counts[index] as number) + 1;
    this.count += 1;
  }

  add(other: LatencyBuckets): void {
    for (let index = 0; index < BUCKETS; index += 1) {
      this.counts[index] = (this.counts[index] as number) + (other.counts[index] as number);
    }
    this.count += other.count;
  }

  /** The duration that this share (0 to 1) of all did not exceed; 0 when there is none. */
  percentile(share: number): number {
    const rank = Math.max(1, Math.ceil(share * this.count));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index += 1) {
      seen += this.counts[index] as number;
      if (seen >= rank) return 2 ** ((index + 0.5) / PER_POWER + MIN_POWER);
    }
    return 0;
  }
}
