import { setTimeout as sleep } from 'node:timers/promises';
import { BackgroundTasks, type Clock, SystemClock } from '#libs/core';
import { Coherence } from '../coherence/coherence.js';
import { SyncState } from '../coherence/sync-state.js';
import { CacheOptionsError } from '../errors/cache-options.error.js';
import { cacheFault } from '../statistics/cache.channels.js';
import type { LevelStatistics } from '../statistics/cache-statistics.js';
import type { TierUsage } from '../tier/cache-tier.js';
import { Gate } from '../tier/gate.js';
import { MemoryVersionStore } from '../versions/memory.version-store.js';
import { Cache } from './cache.js';
import { CacheCore, EVERYTHING } from './cache-core.js';
import type { CacheOptions } from './cache.options.js';
import type { CacheHubOptions, LevelLimits } from './hub.options.js';
import { HubInvalidations } from './hub-invalidations.js';
import type { HubParts, InvalidationReceipt } from './hub-parts.js';
import { RecoveryQueue } from './recovery-queue.js';
import { TagTable } from './tag-table.js';
import { type Level, TierStack } from './tier-stack.js';
import { Versions } from './versions.js';

const PROBE_KEY = 'cache:probe';
/** Batches that one sweep removes from a level at most. */
const MAX_SWEEPS = 100;

/**
 * The caches of one process and what they share: levels, versions, backplane. Start it before use
 * and close it at the end. Levels and stores that are away make it slower or staler, within the
 * limits that were asked for, and never make a call fail.
 */
export class CacheHub {
  private readonly caches = new Map<string, { cache: unknown; core: CacheCore }>();
  private readonly sync = new SyncState();
  private readonly tasks: BackgroundTasks;
  private readonly coherence: Coherence | undefined;
  private readonly parts: HubParts;
  private readonly invalidations: HubInvalidations;
  private readonly openedListeners = new Set<(cache: Cache) => void>();
  private isClosed = false;

  constructor(options: CacheHubOptions = {}) {
    const { tiers = [], clock = new SystemClock() } = options;
    if (tiers.length > 3) throw new CacheOptionsError('A cache has at most three levels below L1.');
    if (tiers.length > 0 && options.versions === undefined) {
      throw new CacheOptionsError(
        'A cache with levels below L1 needs a version store: give `versions`, where the last level is.',
      );
    }
    this.tasks = new BackgroundTasks((error) => {
      cacheFault.publish(() => ({ part: 'hub', operation: 'background', error }));
    });
    const stack = new TierStack(tiers, clock);
    const table = new TagTable(this.sync, options.maxTags);
    const store = options.versions ?? new MemoryVersionStore();
    const timeoutMs = options.versionsTimeoutMs;
    const versions = new Versions(table, this.sync, store, { clock, timeoutMs });
    this.coherence = this.connect(options, clock);
    this.parts = {
      clock,
      clockResolutionMs: options.clockResolutionMs ?? 10,
      tasks: this.tasks,
      sync: this.sync,
      stack,
      versions,
      recovery: new RecoveryQueue(this.tasks, () => this.invalidations.bump([EVERYTHING])),
      outOfSyncTtlMs: options.outOfSyncTtlMs ?? 5_000,
      leases:
        options.leases === undefined
          ? undefined
          : {
              store: options.leases,
              gate: new Gate(options.leases.name, { clock }),
              leaseMs: options.leaseMs ?? 10_000,
            },
      tell: (items) => this.coherence?.publish(items) ?? Promise.resolve(true),
      invalidateNames: (names) => this.invalidations.invalidate(names),
    };
    this.invalidations = new HubInvalidations(this.parts, this.caches);
  }

  /** Whether this process hears the invalidations of the others at present. */
  get isInSync(): boolean {
    return this.sync.isInSync;
  }

  /** Connects to the other processes. It never fails: without them it goes on trying. */
  async start(): Promise<void> {
    await this.coherence?.start();
  }

  /** The cache of a namespace, made at the first call; the options of that call count. */
  cache<Value = unknown>(namespace: string, options: CacheOptions<Value> = {}): Cache<Value> {
    const known = this.caches.get(namespace);
    if (known !== undefined) return known.cache as Cache<Value>;
    if (namespace === '' || namespace.includes(':')) {
      throw new CacheOptionsError(`"${namespace}" cannot name a cache: give a word without ":".`);
    }
    const { stack = this.parts.stack } = options;
    const core = new CacheCore(namespace, { ...this.parts, stack }, options);
    const cache = new Cache<Value>(core, options.clone ?? false);
    this.caches.set(namespace, { cache, core });
    for (const listener of this.openedListeners) listener(cache);
    return cache;
  }

  /** Lets go of a namespace that is no longer used here; what the shared levels hold expires there. */
  forgetCache(namespace: string): void {
    this.caches.get(namespace)?.core.invalidateAll();
    this.caches.delete(namespace);
  }

  /** Tells of each cache, of the open ones at once and of others when they are made; gives what ends it. */
  onOpened(listener: (cache: Cache) => void): () => void {
    for (const { cache } of this.caches.values()) listener(cache as Cache);
    this.openedListeners.add(listener);
    return () => {
      this.openedListeners.delete(listener);
    };
  }

  /** Invalidates every entry, of whatever namespace, that has one of the tags; one step for each. */
  invalidateTags(tags: readonly string[]): Promise<InvalidationReceipt> {
    return this.invalidations.invalidate(tags.map((tag) => `t:${tag}`));
  }

  /** Invalidates every entry of a namespace, whether or not this process uses it. */
  clearNamespace(namespace: string): Promise<InvalidationReceipt> {
    return this.invalidations.invalidate([`n:${namespace}`]);
  }

  /** Invalidates everything. */
  clear(): Promise<InvalidationReceipt> {
    return this.invalidations.invalidate([EVERYTHING]);
  }

  /** Removes expired entries from the shared levels and says how many, by level. */
  async sweep(): Promise<Map<string, number>> {
    const swept = new Map<string, number>();
    for (const { level, tier, gate } of this.parts.stack.levels) {
      for (let round = 0; round < MAX_SWEEPS; round += 1) {
        const reply = await gate.call('sweep', (call) => tier.sweep(call));
        if (!reply.ok) break;
        swept.set(level, (swept.get(level) ?? 0) + reply.value);
        if (reply.value === 0) break;
      }
    }
    return swept;
  }

  namespaces(): string[] {
    return [...this.caches.keys()];
  }

  /** The shared levels, the fastest first. */
  levels(): LevelStatistics[] {
    return this.parts.stack.levels.map((level) => this.describe(level));
  }

  /** Longest life in the first level, whatever an entry asks for; null for no such limit. */
  get l1TtlMs(): number | null {
    return this.parts.stack.ttlMs['L1'] ?? null;
  }

  /** Changes the limits of a level while it is in use; false when there is no such level. */
  limitLevel(level: string, limits: LevelLimits): boolean {
    return this.parts.stack.limit(level, limits);
  }

  /** Asks levels that are left alone whether they are back, as a read would if there were one. */
  async probe(): Promise<void> {
    const away = this.parts.stack.levels.filter(({ gate }) => !gate.isOpen);
    await Promise.all(
      away.map(({ gate, tier }) => gate.call('probe', (call) => tier.get(PROBE_KEY, call))),
    );
  }

  /** What the stores of the shared levels hold; levels that cannot tell or do not answer are left out. */
  async usage(): Promise<Map<string, TierUsage>> {
    const used = new Map<string, TierUsage>();
    await Promise.all(
      this.parts.stack.levels.map(async ({ level, tier, gate }) => {
        const reply = await gate.call('usage', (call) => tier.usage(call));
        if (reply.ok && reply.value !== undefined) used.set(level, reply.value);
      }),
    );
    return used;
  }

  /** Work that nobody waits for, and that `drain` waits for. */
  get backgroundTasks(): number {
    return this.tasks.size;
  }

  /** Resolves when nothing is being loaded or written. */
  drain(): Promise<void> {
    return this.tasks.drain();
  }

  /**
   * Waits for the work that is under way, at most `timeoutMs` because a loader may hang, and lets go
   * of the backplane and the levels. May be called twice.
   */
  async close(timeoutMs = 5_000): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    this.parts.recovery.close();
    await this.coherence?.close();
    await Promise.race([this.tasks.drain(), sleep(timeoutMs, undefined, { ref: false })]);
    await Promise.all(this.parts.stack.levels.map(({ tier }) => tier.close()));
  }

  /** What the breakers of the parts are that this process shares with others. */
  gates(): readonly Gate[] {
    const { stack, versions, leases } = this.parts;
    const others = [versions.gate, leases?.gate, this.coherence?.gate];
    const levels = stack.levels.filter(({ isEnabled }) => isEnabled);
    return [...levels.map(({ gate }) => gate), ...others.filter((gate) => gate !== undefined)];
  }

  private describe({ level, tier, gate, counts, isEnabled }: Level): LevelStatistics {
    return {
      level,
      tier: tier.name,
      state: gate.breaker.state,
      isEnabled,
      timeoutMs: gate.timeoutMs,
      ttlMs: this.parts.stack.ttlMs[level] ?? null,
      ...counts,
      meanMs: counts.answered === 0 ? 0 : counts.answeredMs / counts.answered,
      traffic: tier.traffic,
      swept: tier.swept,
    };
  }

  private connect(options: CacheHubOptions, clock: Clock): Coherence | undefined {
    if (options.backplane === undefined) return undefined;
    return new Coherence({
      backplane: options.backplane,
      clock,
      sync: this.sync,
      tasks: this.tasks,
      heartbeatMs: options.heartbeatMs ?? 1_000,
      ackTimeoutMs: options.ackTimeoutMs ?? 500,
      publishTimeoutMs: options.publishTimeoutMs ?? 500,
      apply: (items) => this.invalidations.apply(items),
      settled: (items) => this.invalidations.settled(items),
      onRegained: () => this.parts.recovery.retry(),
    });
  }
}
