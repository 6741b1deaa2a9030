import { describe, expect, it } from '@jest/globals';
import { advisePoolSize } from './pool-advice.js';

const waits = { count: 1, meanMs: 0, p50Ms: 0, p95Ms: 4, p99Ms: 0, maxMs: 0 };
const demand = (arrivalsPerSecond: number, meanHoldMs: number, peakBusy = 0) => ({
  seconds: 60,
  arrivalsPerSecond,
  meanHoldMs,
  meanBusy: (arrivalsPerSecond * meanHoldMs) / 1000,
  peakBusy,
});
const bounds = { min: 2, max: 50 };

describe('the advice on a pool', () => {
  it.each([
    [100, 10, 5],
    [1_000, 9, 19],
    [10, 1, 2],
    [5_000, 20, 50],
  ])('for %d a second held for %d ms is %d connections', (arrivals, held, size) => {
    expect(advisePoolSize(20, demand(arrivals, held), waits, bounds)).toMatchObject({
      size,
      isChange: Math.abs(size - 20) > 1,
      evidence: { waitP95Ms: 4 },
    });
  });

  it('leaves room for the bursts that there were', () => {
    expect(advisePoolSize(20, demand(10, 1, 15), waits, bounds)).toMatchObject({ size: 19 });
  });

  it('says nothing of an idle pool', () => {
    expect(advisePoolSize(20, demand(1, 10), waits, bounds)).toMatchObject({
      size: 20,
      isChange: false,
    });
  });
});
