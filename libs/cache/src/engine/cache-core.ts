import type { CacheEntry } from '../entry/cache-entry.js';
import { cacheAnswer, cacheFault, type CacheSource } from '../statistics/cache.channels.js';
import { TopKeys } from '../statistics/top-keys.js';
import { coarseClockOf, type CoarseClock } from '../l1/coarse-clock.js';
import { type CacheOptions, type ResolvedOptions, resolveOptions } from './cache.options.js';
import type { AccessTap } from './access-tap.js';
import { dueMs, type EntryTimes, within } from './entry-times.js';
import { Failures } from './failures.js';
import { Flight, type StaleEntry } from './flight.js';
import { deepFreeze } from './deep-freeze.js';
import type { HubParts } from './hub-parts.js';
import { KeyGuards } from './key-guards.js';
import { FirstLevel } from './first-level.js';
import { L1Entry } from './l1-entry.js';
import { type EntryTags, isCurrent } from './tag-table.js';

/** One hit in so many is counted for the hot keys; a power of two. */
export const HOT_SAMPLE = 64;
/** So many misses are counted, and then one in `MISS_SAMPLE` for as many. */
const EXACT_MISSES = 1_024;
const MISS_SAMPLE = 8;
/** One hit in so many is looked up again, to know what that takes; a power of two, above the other. */
const TIMED_SAMPLE = 1_024;

/** Names that every entry has before its own tags: the cache as a whole, and its namespace. */
export const OWN_TAGS_FROM = 2;
/** Invalidates everything. */
export const EVERYTHING = '*';

/** Counts of the reads of one cache in one level. */
export interface LevelTally {
  hits: number;
  misses: number;
  timed: number;
  ms: number;
}

/** What the methods of one cache share: its first level, and what is under way. */
export class CacheCore {
  readonly l1: FirstLevel;
  /** Replaced, never changed in place. */
  options: ResolvedOptions;
  readonly guards = new KeyGuards();
  readonly failures = new Failures();
  readonly hotKeys = new TopKeys();
  readonly missedKeys = new TopKeys();
  readonly coarse: CoarseClock;
  readonly usesTiers: boolean;
  readonly namespaceTag: string;
  /** Costs a hit one comparison while there is none. */
  tap: AccessTap | undefined;
  hits = 0;
  readonly counts = {
    l1Misses: 0,
    sharedHits: 0,
    staleHits: 0,
    loads: 0,
    loadFailures: 0,
    discarded: 0,
    loadMs: 0,
    writes: 0,
    invalidations: 0,
  };
  /** Of the shared levels, by their index. */
  readonly levelReads: readonly LevelTally[];
  /** Look-ups in the first level that were timed, and what they took. */
  readonly l1Times = { timed: 0, ms: 0 };
  private readonly freeze: boolean;

  constructor(
    readonly namespace: string,
    readonly hub: HubParts,
    options: CacheOptions<never>,
  ) {
    this.options = resolveOptions(options);
    this.usesTiers = (options.useTiers ?? true) && hub.stack.levels.length > 0;
    this.levelReads = hub.stack.levels.map(() => ({ hits: 0, misses: 0, timed: 0, ms: 0 }));
    this.freeze = options.freeze ?? false;
    this.namespaceTag = `n:${namespace}`;
    this.coarse = coarseClockOf(hub.clock, hub.clockResolutionMs);
    this.l1 = new FirstLevel(hub.sync, {
      maxItems: options.maxItems ?? 10_000,
      maxBytes: options.maxBytes ?? 32 * 1024 * 1024,
      clock: hub.clock,
      clockResolutionMs: hub.clockResolutionMs,
      ...(options.policy === undefined ? {} : { policy: options.policy }),
    });
  }

  /** The name of a key in the shared levels. */
  fullKey(key: string): string {
    return `${this.namespace}:${key}`;
  }

  /** The names of an entry with these tags. */
  namesOf(tags: readonly string[]): string[] {
    return [EVERYTHING, this.namespaceTag, ...tags.map((tag) => `t:${tag}`)];
  }

  /** Stores in the first level what was loaded in `epoch`. */
  keep(
    key: string,
    value: unknown,
    times: EntryTimes,
    more: {
      readonly loadMs: number;
      readonly tags: EntryTags | null;
      readonly epoch: number;
      readonly options: ResolvedOptions;
    },
  ): void {
    const { hub } = this;
    if (this.l1.isOff) return;
    const nowMs = hub.clock.nowMs();
    let limited = this.limited('L1', times, nowMs, more.options);
    if (!hub.sync.isInSync) limited = within(limited, nowMs, hub.outOfSyncTtlMs);
    if (this.freeze) deepFreeze(value);
    if (limited.staleUntilMs <= nowMs) return;
    const entry = new L1Entry(
      value,
      dueMs(limited, more.loadMs, more.options),
      limited.expiresMs,
      limited.staleUntilMs,
      limited.createdMs,
      more.loadMs,
      more.epoch,
      more.tags,
    );
    this.l1.set(key, entry);
  }

  /** The entry that the shared levels get, within the longest life that each of them gives. */
  entryFor(level: string, entry: CacheEntry, options: ResolvedOptions): CacheEntry {
    const times = this.limited(level, entry, this.hub.clock.nowMs(), options);
    return times === entry ? entry : { ...entry, ...times };
  }

  /** The times within the longest life that the options and the limits of the hub give. */
  private limited(
    level: string,
    times: EntryTimes,
    nowMs: number,
    options: ResolvedOptions,
  ): EntryTimes {
    const own = within(times, nowMs, options.levelTtlMs[level]);
    return within(own, nowMs, this.hub.stack.ttlMs[level]);
  }

  /** Starts a flight that callers can join until it ends. */
  begin(key: string, stale: StaleEntry | undefined, isBackground: boolean): Flight {
    const flight = this.beginAlone(key, stale, isBackground);
    flight.guard.flight = flight;
    return flight;
  }

  /** Starts a flight that nobody can join. Who does it releases its guard. */
  beginAlone(key: string, stale?: StaleEntry, isBackground = false): Flight {
    const { sync, versions } = this.hub;
    const guard = this.guards.hold(key);
    return new Flight(key, guard, versions.table.changes, sync.epoch, stale, isBackground);
  }

  end(flight: Flight): void {
    const { guard } = flight;
    if (guard.flight === flight) guard.flight = undefined;
    this.guards.release(guard);
  }

  /** Forgets a key here, and keeps what is under way for it from storing or serving later callers. */
  invalidate(key: string): void {
    this.counts.invalidations += 1;
    this.l1.delete(key);
    this.failures.delete(key);
    this.guards.invalidate(key);
  }

  /** The same for every key. */
  invalidateAll(): void {
    this.counts.invalidations += 1;
    this.l1.clear();
    this.failures.clear();
    this.guards.invalidateAll();
  }

  /** Whether the entry was not invalidated, and no invalidation of it may have been missed. */
  isSound(entry: L1Entry): boolean {
    return entry.epoch === this.hub.sync.epoch && (entry.tags === null || isCurrent(entry.tags));
  }

  /** Whether the first level has an entry that a read would be served, without counting a use. */
  isFresh(key: string): boolean {
    const entry = this.l1.peek(key);
    return entry !== undefined && entry.expiresMs > this.hub.clock.nowMs() && this.isSound(entry);
  }

  countHit(key: string): void {
    this.hits += 1;
    if ((this.hits & (HOT_SAMPLE - 1)) === 0) this.sample(key);
    if (this.tap !== undefined) this.tap.record(key, true, this.coarse.nowMs);
    if (cacheAnswer.hasSubscribers) this.publish(key, 'L1');
  }

  private sample(key: string): void {
    this.hotKeys.add(key);
    if ((this.hits & (TIMED_SAMPLE - 1)) !== 0) return;
    const startedMs = performance.now();
    this.l1.peek(key);
    this.l1Times.ms += performance.now() - startedMs;
    this.l1Times.timed += 1;
  }

  countMiss(key: string): void {
    this.counts.l1Misses += 1;
    const misses = this.counts.l1Misses;
    if (misses <= EXACT_MISSES) this.missedKeys.add(key);
    else if (misses % MISS_SAMPLE === 0) this.missedKeys.add(key, MISS_SAMPLE);
    if (this.tap !== undefined) this.tap.record(key, false, this.coarse.nowMs);
  }

  /** Counts an answer that the first level did not give. */
  count(key: string, source: CacheSource): void {
    if (source === 'STALE') this.counts.staleHits += 1;
    else if (source !== 'MISS' && source !== 'L1') this.counts.sharedHits += 1;
    if (cacheAnswer.hasSubscribers) this.publish(key, source);
  }

  private publish(key: string, source: CacheSource): void {
    cacheAnswer.publish(() => ({ namespace: this.namespace, key, source }));
  }

  /** Runs work that nobody waits for. */
  inBackground(operation: string, work: () => Promise<unknown>): void {
    this.hub.tasks.run(async () => {
      try {
        await work();
      } catch (error) {
        cacheFault.publish(() => ({ part: this.namespace, operation, error }));
      }
    });
  }
}
