import { ManualClock } from '#libs/core';
import type { Grant, Take } from '../gcra/held-bucket.js';
import { RatePolicy } from '../gcra/rate-policy.js';
import { SharedLimiter } from '../limiter/shared.limiter.js';
import { StoreGate } from '../limiter/store-gate.js';
import { MemoryRateLimitStore } from '../store/memory.rate-limit-store.js';
import { RateLimitStore } from '../store/rate-limit-store.js';
import { worstExcess } from './window-bound.js';

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
export class Fleet {
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

/** How many were let through. */
export const count = (outcomes: readonly boolean[]) => outcomes.filter(Boolean).length;
