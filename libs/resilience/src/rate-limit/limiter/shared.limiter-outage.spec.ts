import { describe, expect, it } from '@jest/globals';
import { count, Fleet } from '../testing/limited-fleet.js';
import { Random } from '../testing/random.js';
import type { SharedLimiter } from './shared.limiter.js';

describe('a limit whose store is away', () => {
  it('answers at once by its part, and no process gets more than that', async () => {
    const fleet = await Fleet.start({ capacity: 20, refill: 1, periodMs: 3_600_000 });
    fleet.store.isAway = true;
    expect(count(await fleet.request(0, 30))).toBe(10);
    expect(count(await fleet.request(1, 30))).toBe(10);
    expect(fleet.store.calls).toBe(2);
  });

  it('goes on from what was left', async () => {
    const fleet = await Fleet.start({ capacity: 20, refill: 1, periodMs: 3_600_000 });
    for (let index = 0; index < 12; index += 1) await fleet.request(index % 2);
    fleet.store.isAway = true;
    await fleet.request(0, 30);
    await fleet.request(1, 30);
    expect(fleet.allowedUs.length).toBeLessThanOrEqual(20);
    expect(fleet.allowedUs.length).toBeGreaterThanOrEqual(19);
  });

  it('keeps refusing whom the store has refused', async () => {
    const fleet = await Fleet.start({ capacity: 20, refill: 1 });
    await fleet.request(0, 25);
    fleet.store.isAway = true;
    fleet.advanceUs(500_000);
    expect(await fleet.request(0)).toEqual([false]);
    fleet.advanceUs(1_600_000);
    expect(count(await fleet.request(0, 5))).toBe(1);
  });

  it('shares again when the store answers, and tells it what was let through', async () => {
    const fleet = await Fleet.start({ capacity: 20, refill: 1, periodMs: 3_600_000 });
    await fleet.request(0, 2);
    await fleet.request(1, 1);
    fleet.store.isAway = true;
    // The first of each finds out that it is away.
    expect(count(await fleet.request(0, 5))).toBe(5);
    expect(count(await fleet.request(1, 3))).toBe(3);
    fleet.store.isAway = false;
    fleet.advanceUs(200_000);
    // Each looks for it in the background at its next request.
    await fleet.request(0);
    await fleet.request(1);
    await new Promise((resolve) => setImmediate(resolve));
    for (const limiter of fleet.limiters) await limiter.settleIdle();
    await fleet.request(0, 30);
    await fleet.request(1, 30);
    expect(fleet.allowedUs.length).toBeLessThanOrEqual(20);
    expect(fleet.allowedUs.length).toBeGreaterThanOrEqual(19);
  });

  it('tells the store once of what was let through, whoever asks it meanwhile', async () => {
    const fleet = await Fleet.start({
      capacity: 100,
      refill: 1,
      periodMs: 3_600_000,
      processes: 1,
    });
    const [limiter] = fleet.limiters as [SharedLimiter];
    fleet.store.isAway = true;
    await fleet.request(0, 40);
    // It goes away again before it can be told.
    fleet.store.isAway = false;
    fleet.advanceUs(1_000_000);
    await fleet.request(0);
    await new Promise((resolve) => setImmediate(resolve));
    fleet.store.isAway = true;
    await limiter.settleIdle();
    expect(fleet.store.debts).toEqual([]);
    fleet.store.isAway = false;
    fleet.advanceUs(1_000_000);
    await fleet.request(0);
    await new Promise((resolve) => setImmediate(resolve));
    await Promise.all([limiter.settleIdle(), fleet.request(0), limiter.settleIdle()]);
    expect(fleet.store.debts).toEqual([42]);
    expect(count(await fleet.request(0, 100))).toBe(100 - 43);
  });

  it('lets through at most one more capacity in any span of time, through random outages', async () => {
    for (let seed = 0; seed < 40; seed += 1) {
      const random = new Random(seed);
      const fleet = await Fleet.start({ capacity: 100, refill: 20 });
      for (let step = 0; step < 600; step += 1) {
        if (random.below(30) === 0) fleet.store.isAway = !fleet.store.isAway;
        await fleet.request(random.below(2), random.one([1, 1, 5]));
        fleet.advanceUs(random.below(30_000));
        if (random.below(10) > 0) continue;
        await new Promise((resolve) => setImmediate(resolve));
        for (const limiter of fleet.limiters) await limiter.settleIdle();
      }
      // What one does not know of the other when the store goes is lost once; no more.
      expect(fleet.excess).toBeLessThanOrEqual(fleet.policy.capacity);
    }
  });
});
