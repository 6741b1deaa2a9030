import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { DataSource } from 'typeorm';
import { type LimitedBy, RatePolicy } from './gcra/rate-policy.js';
import type { Limiter } from './limiter/limiter.js';
import { LocalLimiter } from './limiter/local.limiter.js';
import { SharedLimiter } from './limiter/shared.limiter.js';
import { StoreGate } from './limiter/store-gate.js';
import {
  policiesOfRoutes,
  type RateLimitSettings,
  rateLimitSettings,
} from './rate-limit.settings.js';
import { policiesByName, policiesOf, type RateRule } from './rate-rule.js';
import { openStore } from './store/open-store.js';

const SETTLE_EVERY_MS = 250;

/**
 * The limits in force: the general ones of the settings, and those of routes. A limiter is made when
 * it is first asked for and lives as long as the process, so its budgets outlive a change of settings.
 */
@Injectable()
export class RateLimits implements OnApplicationShutdown {
  /** Grows with each change of the settings: whoever keeps limiters asks again. */
  version = 0;
  private readonly byName = new Map<string, Limiter>();
  private gate: StoreGate | undefined;
  private timer: NodeJS.Timeout | undefined;
  private current: RateLimitSettings;
  /** What the settings say of a name goes for the rules in the code that have it as well. */
  private ofSettings: ReadonlyMap<string, RatePolicy>;
  private readonly unsubscribe: () => void;

  constructor(
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly dataSource: DataSource,
  ) {
    this.current = settings.get(rateLimitSettings);
    this.ofSettings = policiesByName(policiesOfRoutes(this.current.routes)).known;
    this.unsubscribe = settings.onChange((changes) => {
      if (!changes.some(({ path }) => path.startsWith(`${rateLimitSettings.key}.`))) return;
      this.current = settings.get(rateLimitSettings);
      this.ofSettings = policiesByName(policiesOfRoutes(this.current.routes)).known;
      this.version += 1;
    });
  }

  /** Connects to where the budgets are. Before the first request, in a process that answers any. */
  async open(): Promise<void> {
    const store = await openStore(this.settings, this.dataSource);
    if (store === undefined) return;
    this.gate = new StoreGate({
      store,
      clock: this.clock,
      timeoutMs: () => this.current.storeTimeoutMs,
      pauseMs: () => this.current.storePauseMs,
    });
    this.timer = setInterval(() => void this.settleIdle(), SETTLE_EVERY_MS).unref();
    await this.gate.open();
  }

  /** Gives reserves back to the other processes. May be called twice. */
  async onApplicationShutdown(): Promise<void> {
    this.unsubscribe();
    clearInterval(this.timer);
    await Promise.all(this.shared().map((limiter) => limiter.settleAll()));
    await this.gate?.close();
  }

  /** Where budgets are, and whether the processes share them at present. */
  get store(): { readonly name: string; readonly state: 'shared' | 'local' } {
    return this.gate === undefined
      ? { name: 'memory', state: 'local' }
      : { name: this.gate.storeName, state: this.gate.state };
  }

  /** Every limiter that was asked for so far. */
  get limiters(): Iterable<Limiter> {
    return this.byName.values();
  }

  /** Microseconds of the clock that `Limiter.check` goes by. */
  nowUs(): number {
    return Math.floor(this.clock.monotonicMs() * 1_000);
  }

  /** The limit that applies to everybody's requests; undefined where there is none. */
  general(by: LimitedBy): Limiter | undefined {
    const { enabled } = this.current;
    const capacity = this.current[`${by}Capacity`];
    if (!enabled || capacity === 0) return undefined;
    const refill = this.current[`${by}PerSecond`];
    return this.limiterOf(new RatePolicy({ name: by, by, capacity, refill, periodMs: 1_000 }));
  }

  /** The limits of a route: what the settings say of it, else the rules of its handler. */
  ofRoute(routes: readonly string[], rules: readonly RateRule[]): Limiter[] {
    if (!this.current.enabled) return [];
    const named = routes.find((route) => Object.hasOwn(this.current.routes, route));
    const inForce = named === undefined ? rules : (this.current.routes[named] ?? []);
    return policiesOf(inForce, named ?? routes[0] ?? '').map((policy) =>
      this.limiterOf(this.ofSettings.get(policy.name) ?? policy),
    );
  }

  private limiterOf(policy: RatePolicy): Limiter {
    const known = this.byName.get(policy.name);
    if (known === undefined) {
      const limiter = this.make(policy);
      this.byName.set(policy.name, limiter);
      return limiter;
    }
    if (!known.policy.equals(policy)) known.change(policy);
    return known;
  }

  private make(policy: RatePolicy): Limiter {
    const { maxKeys } = this.current;
    if (this.gate === undefined) return new LocalLimiter(policy, maxKeys);
    const { gate, clock } = this;
    const processes = (): number => this.current.expectedInstances;
    return new SharedLimiter({ policy, gate, clock, maxKeys, processes });
  }

  private shared(): SharedLimiter[] {
    return [...this.byName.values()].filter((limiter) => limiter instanceof SharedLimiter);
  }

  private async settleIdle(): Promise<void> {
    for (const limiter of this.shared()) await limiter.settleIdle();
  }
}
