import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import type { Grant, Take } from '../gcra/held-bucket.js';
import { RatePolicy } from '../gcra/rate-policy.js';
import { MemoryRateLimitStore } from '../store/memory.rate-limit-store.js';
import { RateLimitStore } from '../store/rate-limit-store.js';
import { Random } from '../testing/random.js';
import { worstExcess } from '../testing/window-bound.js';
import { SharedLimiter } from './shared.limiter.js';
import { StoreGate } from './store-gate.js';

const KEY = 'user-1';

/** A store that can go away, with or without what it knows, and counts what it is asked. */
class ChaosStore extends RateLimitStore {
  readonly name = 'memory';
  isAway = false;
  calls = 0;
  /** What it was told of requests that were let through without it. */
  readonly debts: number[] = [];

  constructor(public inner: MemoryRateLimitStore) {
    super();
  }

  async take(takes: readonly Take[]): Promise<readonly Grant[]> {
    this.calls += 1;
    if (this.isAway) throw new Error('away');
    this.debts.push(...takes.map(({ debt }) => debt).filter((debt) => debt > 0));
    return this.inner.take(takes);
  }

  async probe(): Promise<void> {
    if (this.isAway) throw new Error('away');
  }

  reset(): void {}

  close(): Promise<void> {
    return this.inner.close();
  }
}

interface Setup {
  readonly capacity: number;
  readonly refill: number;
  readonly periodMs?: number;
  readonly processes?: number;
}

/** Several processes that share the budgets of one store, under a clock that the test moves. */
class Fleet {
  readonly clock = new ManualClock(1_000_000);
  readonly policy: RatePolicy;
  readonly store: ChaosStore;
  readonly limiters: SharedLimiter[] = [];
  /** Times in microseconds at which somebody was let through. */
  readonly allowedUs: number[] = [];
  refusals = 0;

  private constructor({ capacity, refill, periodMs = 1_000 }: Setup) {
    this.policy = new RatePolicy({ name: 'test', by: 'user', capacity, refill, periodMs });
    this.store = new ChaosStore(new MemoryRateLimitStore({ clock: this.clock, maxKeys: 100 }));
  }

  static async start(setup: Setup): Promise<Fleet> {
    const fleet = new Fleet(setup);
    const { store, clock, policy } = fleet;
    const processes = setup.processes ?? 2;
    for (let index = 0; index < processes; index += 1) {
      const gate = new StoreGate({ store, clock, timeoutMs: () => 1_000, pauseMs: () => 100 });
      await gate.open();
      const options = { policy, gate, clock, maxKeys: 100, processes: () => processes };
      fleet.limiters.push(new SharedLimiter(options));
    }
    return fleet;
  }

  get nowUs(): number {
    return Math.floor(this.clock.monotonicMs() * 1_000);
  }

  advanceUs(us: number): void {
    this.clock.advance(us / 1_000);
  }

  /** Makes requests at this moment, all at once. */
  async request(process: number, count = 1): Promise<boolean[]> {
    const limiter = this.limiters[process] as SharedLimiter;
    const { nowUs } = this;
    const verdicts = await Promise.all(
      Array.from({ length: count }, async () => limiter.check(KEY, nowUs) ?? limiter.ask(KEY)),
    );
    for (const verdict of verdicts) {
      if (verdict >= 0) this.allowedUs.push(nowUs);
      else this.refusals += 1;
    }
    return verdicts.map((verdict) => verdict >= 0);
  }

  get excess(): number {
    return worstExcess(this.allowedUs, this.policy);
  }
}

const count = (outcomes: readonly boolean[]) => outcomes.filter(Boolean).length;

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
