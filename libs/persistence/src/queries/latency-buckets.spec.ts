import { describe, expect, it } from '@jest/globals';
import { LatencyBuckets } from './latency-buckets.js';

describe('latency buckets', () => {
  it('tell percentiles within 5 %', () => {
    const buckets = new LatencyBuckets();
    for (let ms = 1; ms <= 10_000; ms += 1) buckets.record(ms / 10);
    for (const share of [0.01, 0.5, 0.95, 0.99, 1]) {
      const exact = share * 1_000;
      expect(Math.abs(buckets.percentile(share) / exact - 1)).toBeLessThan(0.05);
    }
  });

  it('take any duration, and none', () => {
    const buckets = new LatencyBuckets();
    expect(buckets.percentile(0.5)).toBe(0);
    for (const ms of [0, -1, 1e12]) buckets.record(ms);
    expect(buckets.count).toBe(3);
    const other = new LatencyBuckets();
    other.add(buckets);
    expect(other.percentile(1)).toBe(buckets.percentile(1));
  });
});
