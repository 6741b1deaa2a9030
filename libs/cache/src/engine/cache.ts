import type { CacheStatistics } from '../statistics/cache-statistics.js';
import { cacheAnswer, type CacheSource } from '../statistics/cache.channels.js';
import { type Answer, answerOf } from './answer.js';
import type { CacheCore } from './cache-core.js';
import { type EntryOptions, mergeOptions, type ResolvedOptions } from './cache.options.js';
import { isRefreshDue } from './entry-times.js';
import { Flight, type StaleEntry } from './flight.js';
import type { HubParts, InvalidationReceipt } from './hub-parts.js';
import { type L1Entry, TIME_BASE_MS, toEpochMs, toRelative } from './l1-entry.js';
import { type Load, Loader } from './loader.js';
import { ManyReader } from './many-reader.js';
import { SharedReader } from './shared-reader.js';
import { isCurrent } from './tag-table.js';
import { Writer } from './writer.js';

/** One hit in so many is counted for the hot keys; a power of two. */
const HOT_SAMPLE = 64;

/**
 * One namespace of a cache. Values are given back as the objects they are: a hit of the first level
 * costs little more than looking it up. `undefined` says that there is no value; every other value
 * can be stored, also `null`, `0`, `''` and `false`.
 *
 * After an invalidation or a write has returned `acknowledged`, no call in any process that begins
 * later gets what was there before, nor what was loaded from data before.
 */
export class Cache<Value = unknown> {
  readonly namespace: string;
  private readonly loader: Loader;
  private readonly shared: SharedReader;
  private readonly writer: Writer;
  private readonly many: ManyReader;
  // For the hit path, which would otherwise follow three more pointers.
  private readonly l1: CacheCore['l1'];
  private readonly coarse: CacheCore['coarse'];
  private readonly sync: HubParts['sync'];
  private hits = 0;

  /** @internal Made by `CacheHub.cache`. */
  constructor(
    private readonly core: CacheCore,
    private readonly clone: boolean,
  ) {
    this.namespace = core.namespace;
    this.l1 = core.l1;
    this.coarse = core.coarse;
    this.sync = core.hub.sync;
    this.shared = new SharedReader(core);
    this.loader = new Loader(core, this.shared);
    this.writer = new Writer(core);
    this.many = new ManyReader(core, this.shared, this.loader);
  }

  /**
   * The value of the key, loaded if there is none that is fresh. Concurrent callers share one load,
   * and its failure.
   */
  getOrSet(key: string, load: Load<Value>, options?: EntryOptions<Value>): Promise<Value> {
    const entry = this.l1.get(key);
    if (
      entry !== undefined &&
      // The clock rests at a very late time while nobody reads; the exact one decides then.
      entry.dueAt > this.coarse.nowMs - TIME_BASE_MS &&
      entry.epoch === this.sync.epoch &&
      (entry.tags === null || isCurrent(entry.tags))
    ) {
      this.countHit(key);
      const value = entry.value as Value;
      return Promise.resolve(this.clone ? structuredClone(value) : value);
    }
    return this.resolve(key, entry, load, options).then((answer) => this.give(answer));
  }

  /** As `getOrSet`, with where the value came from and how old it is. */
  async getOrSetEntry(
    key: string,
    load: Load<Value>,
    options?: EntryOptions<Value>,
  ): Promise<Answer<Value>> {
    const answer = await this.resolve(key, this.core.l1.get(key), load, options);
    return { ...answer, value: this.give(answer) };
  }

  /** The value of the key if there is a fresh one, else undefined. */
  async get(key: string): Promise<Value | undefined> {
    return (await this.getEntry(key))?.value;
  }

  /** As `get`; undefined only when there is none, also where `undefined` itself is stored. */
  async getEntry(key: string): Promise<Answer<Value> | undefined> {
    const entry = this.core.l1.get(key);
    const nowAt = toRelative(this.core.coarse.wake());
    if (entry !== undefined && entry.expiresAt > nowAt && this.core.isSound(entry)) {
      this.countHit(key);
      const answer = answerOf(entry, 'L1');
      return { ...answer, value: this.give(answer) };
    }
    this.countMiss(key);
    const answer = await this.many.peek(key);
    if (answer === undefined) return undefined;
    this.count(key, answer.source);
    return { ...answer, value: this.give(answer) };
  }

  /** What is there of the keys: one pass over memory and one call of each shared level. */
  async getMany(keys: readonly string[]): Promise<Map<string, Value>> {
    const answers = await this.many.getMany(keys);
    return this.giveAll(keys, answers);
  }

  /**
   * As `getMany`, and one call of `load` for the keys that are missing and that nobody is loading.
   * Keys that are absent in what it returns have no value.
   */
  async getOrSetMany(
    keys: readonly string[],
    load: (missing: readonly string[]) => Promise<ReadonlyMap<string, Value>>,
    options?: EntryOptions<Value>,
  ): Promise<Map<string, Value>> {
    const resolved = mergeOptions(this.core.options, options);
    return this.giveAll(keys, await this.many.getOrSetMany(keys, load, resolved));
  }

  /** Stores a value in every level. `undefined` deletes. */
  set(key: string, value: Value, options?: EntryOptions<Value>): Promise<InvalidationReceipt> {
    return this.writer.set([[key, value]], mergeOptions(this.core.options, options));
  }

  setMany(
    entries: Iterable<readonly [string, Value]>,
    options?: EntryOptions<Value>,
  ): Promise<InvalidationReceipt> {
    return this.writer.set([...entries], mergeOptions(this.core.options, options));
  }

  delete(key: string): Promise<InvalidationReceipt> {
    return this.writer.delete([key]);
  }

  deleteMany(keys: readonly string[]): Promise<InvalidationReceipt> {
    return this.writer.delete(keys);
  }

  /** Invalidates every entry of the namespace, in one step. */
  clear(): Promise<InvalidationReceipt> {
    return this.core.hub.invalidateNames([this.core.namespaceTag]);
  }

  /** Changes the bounds of the first level; a smaller one takes effect at once. */
  resize(bounds: { maxItems?: number; maxBytes?: number }): void {
    this.core.l1.resize(bounds);
  }

  statistics(topKeys = 20): CacheStatistics {
    const { counts, l1, hotKeys, missedKeys } = this.core;
    const l1Hits = this.hits;
    const reads = l1Hits + counts.l1Misses;
    return {
      ...counts,
      l1Hits,
      namespace: this.namespace,
      hitRatio: reads === 0 ? 0 : (l1Hits + counts.sharedHits + counts.staleHits) / reads,
      items: l1.size,
      bytes: l1.stats().bytes,
      hotKeys: hotKeys.top(topKeys),
      missedKeys: missedKeys.top(topKeys),
    };
  }

  private async resolve(
    key: string,
    held: L1Entry | undefined,
    load: Load<Value>,
    callOptions: EntryOptions<Value> | undefined,
  ): Promise<Answer> {
    const { core } = this;
    const options = mergeOptions(core.options, callOptions);
    const nowMs = core.coarse.wake();
    const nowAt = toRelative(nowMs);
    let stale: StaleEntry | undefined;
    if (held !== undefined && held.tags !== null && !isCurrent(held.tags)) {
      core.l1.delete(key);
    } else if (held !== undefined && held.epoch !== core.hub.sync.epoch) {
      if (held.staleUntil > nowAt) stale = { entry: held, isSuspect: true };
    } else if (held !== undefined && held.expiresAt > nowAt) {
      if (held.dueAt <= nowAt && isRefreshDue(timesOfEntry(held), nowMs, held.loadMs, options)) {
        this.refresh(key, held, load, options);
      }
      this.countHit(key);
      return answerOf(held, 'L1');
    } else if (held !== undefined && held.staleUntil > nowAt) {
      stale = { entry: held, isSuspect: false };
    }
    this.countMiss(key);
    const failure = core.failures.get(key);
    if (stale !== undefined && !stale.isSuspect) {
      const isThrottled = failure !== undefined && failure.retryMs > nowMs;
      if (isThrottled) return this.serveStale(key, stale.entry);
      if (held !== undefined && nowAt < held.expiresAt + options.revalidateMs) {
        this.refresh(key, held, load, options);
        return this.serveStale(key, stale.entry);
      }
    } else if (failure !== undefined && failure.untilMs > nowMs) throw failure.error;
    return this.fly(key, stale, load, options);
  }

  /** Joins the flight of the key or starts it, until it has an answer that is good for this caller. */
  private async fly(
    key: string,
    stale: StaleEntry | undefined,
    load: Load<Value>,
    options: ResolvedOptions,
  ): Promise<Answer> {
    for (;;) {
      const joinedAt = this.core.hub.versions.table.changes;
      const flight = this.core.flights.get(key) ?? this.start(key, stale, load, options, false);
      const answer = await this.await(flight, options);
      if (flight.servesJoiner(joinedAt)) {
        this.count(key, answer.source);
        return answer;
      }
    }
  }

  private start(
    key: string,
    stale: StaleEntry | undefined,
    load: Load<Value>,
    options: ResolvedOptions,
    isBackground: boolean,
  ): Flight {
    const { core } = this;
    const flight = core.begin(key, stale, isBackground);
    const newerThanMs = isBackground && stale ? toEpochMs(stale.entry.createdAt) : undefined;
    core.inBackground('flight', async () => {
      try {
        const answer = await this.loader.fetch(flight, load, options, newerThanMs);
        core.failures.delete(key);
        flight.resolve(answer);
      } catch (error) {
        this.onFailure(flight, error, options);
      } finally {
        core.end(flight);
      }
    });
    return flight;
  }

  private onFailure(flight: Flight, error: unknown, options: ResolvedOptions): void {
    const { core } = this;
    const nowMs = core.hub.clock.nowMs();
    const { errorTtlMs, errorThrottleMs } = options;
    if (!flight.isKeyMoved) {
      core.failures.add(flight.key, {
        error,
        untilMs: nowMs + errorTtlMs,
        retryMs: nowMs + errorThrottleMs,
      });
    }
    const { stale } = flight;
    if (stale !== undefined && this.isServable(flight, stale.entry)) {
      flight.resolve(answerOf(stale.entry, 'STALE'));
    } else flight.reject(error);
  }

  /** The answer of the flight, or after the soft time-out what is stale. */
  private async await(flight: Flight, { softTimeoutMs }: ResolvedOptions): Promise<Answer> {
    if (softTimeoutMs === undefined) return flight.promise;
    let timer: NodeJS.Timeout | undefined;
    const soft = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, softTimeoutMs);
    });
    const staleAnswer = async (): Promise<Answer> => {
      await soft;
      await flight.staleOffered;
      const { stale } = flight;
      if (stale === undefined || !this.isServable(flight, stale.entry)) return flight.promise;
      return answerOf(stale.entry, 'STALE');
    };
    try {
      return await Promise.race([flight.promise, staleAnswer()]);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Refreshes behind the back of the callers, unless the key is on its way already. */
  private refresh(key: string, held: L1Entry, load: Load<Value>, options: ResolvedOptions): void {
    if (this.core.flights.has(key)) return;
    const failure = this.core.failures.get(key);
    if (failure !== undefined && failure.retryMs > this.core.hub.clock.nowMs()) return;
    this.start(key, { entry: held, isSuspect: false }, load, options, true);
  }

  private isServable(flight: Flight, entry: L1Entry): boolean {
    const nowAt = toRelative(this.core.hub.clock.nowMs());
    const isValid = entry.tags === null || isCurrent(entry.tags);
    return isValid && entry.staleUntil > nowAt && !flight.isKeyMoved;
  }

  private serveStale(key: string, entry: L1Entry): Answer {
    this.count(key, 'STALE');
    return answerOf(entry, 'STALE');
  }

  private give(answer: Answer): Value {
    return (this.clone ? structuredClone(answer.value) : answer.value) as Value;
  }

  private giveAll(
    keys: readonly string[],
    answers: ReadonlyMap<string, Answer>,
  ): Map<string, Value> {
    const given = new Map<string, Value>();
    for (const key of keys) {
      const answer = answers.get(key);
      if (answer === undefined || answer.value === undefined) continue;
      if (!given.has(key)) {
        if (answer.source === 'L1') this.countHit(key);
        else {
          this.countMiss(key);
          this.count(key, answer.source);
        }
      }
      given.set(key, this.give(answer));
    }
    return given;
  }

  private countHit(key: string): void {
    this.hits += 1;
    if ((this.hits & (HOT_SAMPLE - 1)) === 0) this.core.hotKeys.add(key);
    if (cacheAnswer.hasSubscribers) this.publish(key, 'L1');
  }

  private countMiss(key: string): void {
    this.core.counts.l1Misses += 1;
    this.core.missedKeys.add(key);
  }

  private count(key: string, source: CacheSource): void {
    if (source === 'STALE') this.core.counts.staleHits += 1;
    else if (source !== 'MISS' && source !== 'L1') this.core.counts.sharedHits += 1;
    if (cacheAnswer.hasSubscribers) this.publish(key, source);
  }

  private publish(key: string, source: CacheSource): void {
    cacheAnswer.publish(() => ({ namespace: this.namespace, key, source }));
  }
}

function timesOfEntry(entry: L1Entry): {
  createdMs: number;
  expiresMs: number;
  staleUntilMs: number;
} {
  return {
    createdMs: toEpochMs(entry.createdAt),
    expiresMs: toEpochMs(entry.expiresAt),
    staleUntilMs: toEpochMs(entry.staleUntil),
  };
}
