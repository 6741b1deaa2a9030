import { describe, expect, it } from '@jest/globals';
import { count, Fleet } from '../testing/limited-fleet.js';
import { Random } from '../testing/random.js';
import type { SharedLimiter } from './shared.limiter.js';

describe('a limit that processes share', () => {
  it('lets exactly a small budget through, whoever is asked', async () => {
    for (let seed = 0; seed < 50; seed += 1) {
      const random = new Random(seed);
      const fleet = await Fleet.start({
        capacity: 20,
        refill: 1,
        periodMs: 3_600_000,
        processes: 3,
      });
      while (fleet.refusals < 30) await fleet.request(random.below(3), 1 + random.below(4));
      expect(fleet.allowedUs).toHaveLength(20);
    }
  });

  it('never lets more through than one process might, in any span of time', async () => {
    for (let seed = 0; seed < 25; seed += 1) {
      const random = new Random(seed);
      const fleet = await Fleet.start({
        capacity: 1 + random.below(random.one([10, 300, 3_000])),
        refill: 1 + random.below(random.one([10, 300, 3_000])),
        processes: 1 + random.below(4),
      });
      for (let step = 0; step < 400; step += 1) {
        const process = random.below(fleet.limiters.length);
        await fleet.request(process, random.one([1, 1, 2, random.below(40), random.below(400)]));
        fleet.advanceUs(random.one([0, 10, random.below(2_000), random.below(400_000)]));
        if (random.below(40) === 0) fleet.advanceUs(random.below(25_000_000));
        if (random.below(5) === 0) {
          for (const limiter of fleet.limiters) await limiter.settleIdle();
        }
      }
      expect(fleet.excess).toBeLessThanOrEqual(0);
    }
  });

  it('lets through nearly all that it may when more is asked for', async () => {
    const seconds = 30;
    for (const [capacity, refill] of [
      [20, 5],
      [100, 50],
      [1_000, 500],
    ] as const) {
      const fleet = await Fleet.start({ capacity, refill });
      const stepUs = 1_000_000 / refill / 1.5;
      for (let us = 0; us < seconds * 1_000_000; us += stepUs) {
        await fleet.request(0);
        await fleet.request(1);
        fleet.advanceUs(stepUs);
      }
      const most = capacity + refill * seconds;
      expect(fleet.allowedUs.length).toBeLessThanOrEqual(most);
      expect(fleet.allowedUs.length).toBeGreaterThanOrEqual(most * 0.99 - 1);
    }
  });

  it('withholds at most a 64th of what is left for each process that stands idle, and not for long', async () => {
    const fleet = await Fleet.start({ capacity: 6_400, refill: 1, periodMs: 1_000 });
    // The larger its reserves were, the more it holds now.
    for (let index = 0; index < 3_000; index += 1) await fleet.request(0);
    const left = 6_400 - 3_000;
    const outcomes = await fleet.request(1, 6_400);
    expect(count(outcomes)).toBeGreaterThanOrEqual(left - Math.ceil(left / 63));
    const [limiter] = fleet.limiters;
    await limiter?.settleIdle();
    await limiter?.settleIdle();
    fleet.advanceUs(1_000_000);
    await fleet.request(1, 6_400);
    // One has come back in that second.
    expect(fleet.allowedUs).toHaveLength(6_401);
  });

  it('withholds no more when it was at its limit some time ago', async () => {
    const fleet = await Fleet.start({ capacity: 640, refill: 64 });
    for (let index = 0; index < 10; index += 1) {
      await fleet.request(0, 2_000);
      fleet.advanceUs(5_000);
    }
    fleet.advanceUs(20_000_000);
    await fleet.request(0);
    expect(count(await fleet.request(1, 1_000))).toBeGreaterThanOrEqual(639 - 10);
  });

  it('seldom asks the store while there is plenty', async () => {
    const fleet = await Fleet.start({ capacity: 40_000, refill: 20_000 });
    for (let index = 0; index < 20_000; index += 1) {
      await fleet.request(index % 2);
      fleet.advanceUs(100);
    }
    expect(fleet.refusals).toBe(0);
    expect(fleet.store.calls).toBeLessThan(200);
  });

  it('does not ask the store while a refusal is known to hold', async () => {
    const fleet = await Fleet.start({ capacity: 5, refill: 1 });
    await fleet.request(0, 6);
    const { calls } = fleet.store;
    for (let index = 0; index < 90; index += 1) {
      fleet.advanceUs(10_000);
      expect(await fleet.request(0)).toEqual([false]);
    }
    expect(fleet.store.calls).toBe(calls);
    fleet.advanceUs(200_000);
    expect(await fleet.request(0)).toEqual([true]);
  });

  it('loses the reserve of a process that died for two epochs at most', async () => {
    const fleet = await Fleet.start({ capacity: 6_400, refill: 100 });
    await fleet.request(0, 1);
    fleet.limiters[0] = fleet.limiters[1] as SharedLimiter;
    // Time enough to fill up, and requests all along, so that the store never forgets.
    for (let second = 0; second < 90; second += 1) {
      await fleet.request(1);
      fleet.advanceUs(1_000_000);
    }
    const outcomes = await fleet.request(1, 7_000);
    // What it has in reserve itself counts as held until it is settled.
    expect(count(outcomes)).toBeGreaterThan(6_400 - 32);
  });
});
