import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks } from '#libs/core';
import { cacheSettings } from '../../cache.settings.js';
import type { CacheHub } from '../../engine/cache-hub.js';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { Caches, type NamespaceOptions } from '../../managers/caches.js';
import { cacheFault, cacheInvalidation } from '../../statistics/cache.channels.js';
import {
  StrategyChangedError,
  StrategyNameTakenError,
  StrategyNotFoundError,
  StrategyStatusError,
  TooManyStrategiesError,
} from '../errors/strategy.errors.js';
import { type CacheStrategy, isInUse } from '../model/cache-strategy.js';
import { StrategyLevels } from '../store/strategy-levels.js';
import { StrategyStore } from '../store/strategy-store.js';
import { PolicySwitch } from '../store/switchable-policy.js';
import {
  type NewStrategy,
  StrategyRepository,
  type StrategyUpdate,
} from './strategy.repository.js';

interface AwaitedStrategy {
  readonly namespaces: Set<string>;
  /** What they are ruled by until then, and from then on. */
  readonly policy: PolicySwitch;
}

const DEFAULT_POLICY = 's3-fifo';
/** What is invalidated when a strategy changes, so that the other processes hear of it. */
const CHANGED = 'cache.strategies';

/**
 * The strategies of the platform and their stores in this process. A change is stored in PostgreSQL
 * first, then takes effect here, and reaches the other processes by the backplane of the cache; they
 * also read all strategies anew now and then, in case a message was lost.
 */
@Injectable()
export class StrategyRegistry implements OnModuleInit, OnApplicationShutdown {
  private readonly stores = new Map<string, StrategyStore>();
  private readonly tasks = new BackgroundTasks((error) => {
    cacheFault.publish(() => ({ part: 'strategies', operation: 'load', error }));
  });
  private readonly hub: CacheHub;
  /** Decorators ask for strategies by name on each call. */
  private readonly byName = new Map<string, StrategyStore>();
  /** Namespaces that name a strategy which does not exist yet. */
  private readonly awaited = new Map<string, AwaitedStrategy>();
  private stopListening: (() => void) | undefined;
  private poll: NodeJS.Timeout | undefined;
  private refreshing: Promise<void> | undefined;
  private isStale = false;

  constructor(
    private readonly repository: StrategyRepository,
    private readonly levels: StrategyLevels,
    private readonly policies: EvictionPolicyRegistry,
    private readonly caches: Caches,
    private readonly settings: SettingsStore,
  ) {
    this.hub = caches.hub;
  }

  /** Opens the stores. Without the database it starts empty, and tries again. */
  async onModuleInit(): Promise<void> {
    this.stopListening = cacheInvalidation.subscribe(({ names, isRemote }) => {
      if (isRemote && names.some((name) => name === '*' || name === `t:${CHANGED}`)) {
        this.tasks.run(() => this.refresh());
      }
    });
    this.poll = setInterval(
      () => this.tasks.run(() => this.refresh()),
      this.settings.get(cacheSettings).strategyPollMs,
    ).unref();
    this.tasks.run(() => this.refresh());
    await this.tasks.drain();
  }

  /** Stops listening and lets go of the stores. May be called twice. */
  async onApplicationShutdown(): Promise<void> {
    this.stopListening?.();
    clearInterval(this.poll);
    await this.tasks.drain();
    await Promise.all([...this.stores.values()].map((store) => store.close()));
    this.stores.clear();
    this.byName.clear();
  }

  /** By name. */
  all(): StrategyStore[] {
    return [...this.stores.values()].sort((a, b) => (a.current.name < b.current.name ? -1 : 1));
  }

  /** By id or name. */
  find(strategy: string): StrategyStore | undefined {
    return this.byName.get(strategy) ?? this.stores.get(strategy);
  }

  /** By id or name. Throws `CACHE_STRATEGY_NOT_FOUND`. */
  get(strategy: string): StrategyStore {
    const store = this.find(strategy);
    if (store === undefined) throw new StrategyNotFoundError(strategy);
    return store;
  }

  /**
   * Counts a namespace to a strategy, also to one that is made later, and tells what to open it with.
   * A strategy that is made later cannot change the levels of what is open.
   */
  adopt(strategy: string, namespace: string): NamespaceOptions {
    const store = this.find(strategy);
    if (store !== undefined) return store.adopt(namespace);
    const awaited = this.awaited.get(strategy) ?? {
      namespaces: new Set<string>(),
      policy: new PolicySwitch(DEFAULT_POLICY, (name) => this.policies.get(name)),
    };
    awaited.namespaces.add(namespace);
    this.awaited.set(strategy, awaited);
    return { policy: awaited.policy.factory };
  }

  /** Stores a new strategy and opens its levels. */
  async create(strategy: NewStrategy): Promise<StrategyStore> {
    const { maxStrategies } = this.settings.get(cacheSettings);
    if (this.stores.size >= maxStrategies) throw new TooManyStrategiesError(maxStrategies);
    // Both throw for what cannot work here, before anything is stored.
    this.policies.get(strategy.configuration.policy);
    this.levels.make(strategy.type);
    const created = await this.repository.insert(strategy);
    if (created === undefined) throw new StrategyNameTakenError(strategy.name);
    this.apply(created);
    const store = this.get(created.id);
    // Entries of an older strategy of this name must not come back.
    await store.clear();
    await this.announce();
    return store;
  }

  /** Changes a strategy, if it still has this version. */
  async update(id: string, version: number, change: StrategyUpdate): Promise<StrategyStore> {
    const store = this.get(id);
    if (change.configuration !== undefined) this.policies.get(change.configuration.policy);
    const wasInUse = isInUse(store.current);
    const updated = await this.repository.update(store.current.id, version, change);
    if (updated === undefined) throw await this.changed(store.current, version);
    this.apply(updated);
    await this.announce();
    // What was cached before, and what another process cached until it heard, must not be served.
    if (isInUse(updated) !== wasInUse) await store.clear();
    return store;
  }

  /** Deletes a strategy and what it holds. */
  async delete(id: string): Promise<void> {
    const store = this.get(id);
    if (!(await this.repository.delete(store.current.id))) throw new StrategyNotFoundError(id);
    await store.clear();
    await this.forget(store);
    await this.announce();
  }

  /** Marks the strategy as being optimised. Throws `CACHE_STRATEGY_STATUS` if it is already. */
  async beginOptimising(id: string): Promise<void> {
    const store = this.get(id);
    const { strategyLeaseMs } = this.settings.get(cacheSettings);
    const marked = await this.repository.beginOptimising(store.current.id, strategyLeaseMs);
    if (marked === undefined) {
      throw new StrategyStatusError(store.current.name, 'optimizing', 'wait until that has ended.');
    }
    this.apply(marked);
    await this.announce();
  }

  /** Says that this process is still at it. */
  extendOptimising(id: string): Promise<void> {
    const { strategyLeaseMs } = this.settings.get(cacheSettings);
    return this.repository.extendOptimising(id, strategyLeaseMs);
  }

  /** Gives the strategy its status back. */
  async endOptimising(id: string): Promise<void> {
    const restored = await this.repository.endOptimising(id);
    if (restored !== undefined) this.apply(restored);
    await this.announce();
  }

  /** Reads all strategies, and gives those their status back whose optimiser has died. */
  refresh(): Promise<void> {
    this.isStale = true;
    this.refreshing ??= (async () => {
      try {
        // A change that is announced meanwhile may have come too late for the query.
        while (this.isStale) {
          this.isStale = false;
          await this.reload();
        }
      } finally {
        this.refreshing = undefined;
      }
    })();
    return this.refreshing;
  }

  private async reload(): Promise<void> {
    const abandoned = await this.repository.endAbandoned();
    const strategies = await this.repository.all();
    const ids = new Set(strategies.map(({ id }) => id));
    // First, because a new strategy may have the name of a deleted one.
    for (const [id, store] of this.stores) {
      if (!ids.has(id)) await this.forget(store);
    }
    for (const strategy of strategies) this.apply(strategy);
    if (abandoned > 0) await this.announce();
  }

  private apply(strategy: CacheStrategy): void {
    const store = this.stores.get(strategy.id);
    if (store !== undefined) {
      if (strategy.version > store.current.version) store.configure(strategy);
      return;
    }
    try {
      const awaited = this.awaited.get(strategy.name) ?? this.awaited.get(strategy.id);
      const policyOf = (name: string) => this.policies.get(name);
      const opened = new StrategyStore(strategy, {
        caches: this.caches,
        levels: this.levels.make(strategy.type),
        policy: awaited?.policy ?? new PolicySwitch(strategy.configuration.policy, policyOf),
      });
      this.stores.set(strategy.id, opened);
      this.byName.set(strategy.name, opened);
      for (const namespace of awaited?.namespaces ?? []) opened.adopt(namespace);
      for (const name of [strategy.id, strategy.name]) this.awaited.delete(name);
    } catch (error) {
      // Another process may have levels and policies that this one has not.
      cacheFault.publish(() => ({ part: strategy.name, operation: 'open', error }));
    }
  }

  private async forget(store: StrategyStore): Promise<void> {
    const { id, name } = store.current;
    this.stores.delete(id);
    if (this.byName.get(name) === store) this.byName.delete(name);
    await store.close();
  }

  private async announce(): Promise<void> {
    await this.hub.invalidateTags([CHANGED]);
  }

  private async changed(known: CacheStrategy, version: number): Promise<Error> {
    const actual = await this.repository.find(known.id);
    if (actual === undefined) return new StrategyNotFoundError(known.name);
    this.apply(actual);
    return new StrategyChangedError(known.name, version, actual.version);
  }
}
