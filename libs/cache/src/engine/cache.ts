import type { PolicyDescription } from '../l1/eviction-policy.js';
import type { CacheSource } from '../statistics/cache.channels.js';
import type { CacheStatistics, KeyInfo } from '../statistics/cache-statistics.js';
import type { AccessTap } from './access-tap.js';
import { type Answer, answerOf } from './answer.js';
import type { CacheCore } from './cache-core.js';
import {
  type EntryOptions,
  mergeOptions,
  type ResolvedOptions,
  resolveOptions,
} from './cache.options.js';
import type { InvalidationReceipt } from './hub-parts.js';
import { NO_HIT } from './first-level.js';
import { keyInfoOf } from './key-info.js';
import { LoadWriter } from './load-writer.js';
import { type Load, Loader } from './loader.js';
import { ManyReader } from './many-reader.js';
import { SharedReader } from './shared-reader.js';
import { SingleReader } from './single-reader.js';
import { statisticsOf } from './statistics-of.js';
import { Writer } from './writer.js';

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
  private readonly reader: SingleReader;
  private readonly writer: Writer;
  private readonly many: ManyReader;
  // For the hit path, which would otherwise follow one more pointer.
  private readonly l1: CacheCore['l1'];

  /** @internal Made by `CacheHub.cache`. */
  constructor(
    private readonly core: CacheCore,
    private readonly clone: boolean,
  ) {
    this.namespace = core.namespace;
    this.l1 = core.l1;
    const shared = new SharedReader(core);
    const loadWriter = new LoadWriter(core);
    const loader = new Loader(core, shared, loadWriter);
    this.reader = new SingleReader(core, loader);
    this.many = new ManyReader(core, shared, loadWriter);
    this.writer = new Writer(core);
  }

  /**
   * The value of the key, loaded if there is none that is fresh. Concurrent callers share one load,
   * and its failure.
   */
  getOrSet(key: string, load: Load<Value>, options?: EntryOptions<Value>): Promise<Value> {
    const value = this.l1.hit(key);
    if (value !== NO_HIT) {
      this.core.countHit(key);
      return Promise.resolve((this.clone ? structuredClone(value) : value) as Value);
    }
    return this.reader
      .resolve(key, this.l1.get(key), load, options)
      .then((answer) => this.give(answer));
  }

  /** As `getOrSet`, with where the value came from and how old it is. */
  async getOrSetEntry(
    key: string,
    load: Load<Value>,
    options?: EntryOptions<Value>,
  ): Promise<Answer<Value>> {
    const answer = await this.reader.resolve(key, this.core.l1.get(key), load, options);
    return { ...answer, value: this.give(answer) };
  }

  /**
   * The value of the key if the first level has it and it is fresh, without waiting; undefined also
   * when a refresh is due. Only a hit is counted: whoever finds nothing goes on to another method.
   */
  hit(key: string): Value | undefined {
    const value = this.l1.hit(key);
    if (value === NO_HIT) return undefined;
    this.core.countHit(key);
    return (this.clone ? structuredClone(value) : value) as Value;
  }

  /**
   * A value that was loaded after the call, whatever is stored; callers at the same time share a
   * load. What is stored stays until then, and is served (`STALE`) when the load fails.
   */
  async reload(
    key: string,
    load: Load<Value>,
    options?: EntryOptions<Value>,
  ): Promise<Answer<Value>> {
    const answer = await this.reader.reload(key, load, options);
    return { ...answer, value: this.give(answer) };
  }

  /** Whether the first level has a fresh entry of the key; no read is counted. */
  isFresh(key: string): boolean {
    return this.core.isFresh(key);
  }

  /**
   * Brings the key into the first level, from a shared one or loaded, for readers to come. No read
   * is counted. Where it came from: `L1` says that it was there, `MISS` that it was loaded.
   */
  warm(key: string, load: Load<Value>, options?: EntryOptions<Value>): Promise<CacheSource> {
    return this.reader.warm(key, load, options);
  }

  /** The value of the key if there is a fresh one, else undefined. */
  async get(key: string): Promise<Value | undefined> {
    const value = this.l1.hit(key);
    if (value === NO_HIT) return (await this.getEntry(key))?.value;
    this.core.countHit(key);
    return (this.clone ? structuredClone(value) : value) as Value;
  }

  /** As `get`; undefined only when there is none, also where `undefined` itself is stored. */
  async getEntry(key: string): Promise<Answer<Value> | undefined> {
    const entry = this.core.l1.get(key);
    const nowMs = this.core.coarse.wake();
    if (entry !== undefined && entry.expiresMs > nowMs && this.core.isSound(entry)) {
      this.core.countHit(key);
      const answer = answerOf(entry, 'L1');
      return { ...answer, value: this.give(answer) };
    }
    this.core.countMiss(key);
    const answer = await this.many.peek(key);
    if (answer === undefined) return undefined;
    this.core.count(key, answer.source);
    return { ...answer, value: this.give(answer) };
  }

  /** What is there of the keys: one pass over memory and one call of each shared level. */
  async getMany(keys: readonly string[]): Promise<Map<string, Value>> {
    const given = new Map<string, Value>();
    const missing: string[] = [];
    for (const key of keys) {
      const value = this.l1.hit(key);
      if (value === NO_HIT) missing.push(key);
      else if (value !== undefined && !given.has(key)) {
        given.set(key, (this.clone ? structuredClone(value) : value) as Value);
        this.core.countHit(key);
      }
    }
    if (missing.length === 0) return given;
    const others = this.giveAll(missing, await this.many.getMany(missing));
    return given.size === 0 ? others : inOrder(keys, given, others);
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

  /** What holds for calls that say nothing else. */
  get rule(): ResolvedOptions {
    return this.core.options;
  }

  /**
   * Changes it, for entries that are stored from now on; what is not given stays as it is.
   * @throws CacheOptionsError for a value that makes no sense
   */
  configure(changes: EntryOptions<Value>): void {
    this.core.options = resolveOptions({ ...this.core.options, ...changes });
  }

  /** Changes the bounds of the first level; a smaller one takes effect at once. */
  resize(bounds: { maxItems?: number; maxBytes?: number }): void {
    this.core.l1.resize(bounds);
  }

  /** Reads of single keys so far, hits and misses. */
  get reads(): number {
    return this.core.hits + this.core.counts.l1Misses;
  }

  /** Who is told of every read; one at a time. */
  get tap(): AccessTap | undefined {
    return this.core.tap;
  }

  set tap(tap: AccessTap | undefined) {
    this.core.tap = tap;
  }

  /** The policy of the first level, with what it has learnt. */
  policy(): { readonly name: string; readonly state: PolicyDescription } {
    const { policy, policyState } = this.core.l1.stats();
    return { name: policy, state: policyState };
  }

  /** Counts since the cache was made, with as many of its most read and most missed keys. */
  statistics(topKeys = 20): CacheStatistics {
    return statisticsOf(this.core, topKeys);
  }

  /**
   * Where the key lies and for how long, for people: the levels are asked one after the other, and
   * nothing is promoted or counted. Levels that do not have it, or do not answer, are left out.
   */
  keyInfo(key: string): Promise<KeyInfo[]> {
    return keyInfoOf(this.core, key);
  }

  /** Removes what has expired from the first level now, and says how many; it leaves by itself too. */
  expireSweep(): number {
    return this.core.l1.sweep();
  }

  private give(answer: Answer): Value {
    return (this.clone ? structuredClone(answer.value) : answer.value) as Value;
  }

  private giveAll(
    keys: readonly string[],
    answers: ReadonlyMap<string, Answer>,
  ): Map<string, Value> {
    const given = new Map<string, Value>();
    for (const key of new Set(keys)) {
      const answer = answers.get(key);
      if (answer?.source === 'L1') this.core.countHit(key);
      else {
        this.core.countMiss(key);
        if (answer !== undefined) this.core.count(key, answer.source);
      }
      if (answer === undefined || answer.value === undefined) continue;
      given.set(key, this.give(answer));
    }
    return given;
  }
}

function inOrder<Value>(
  keys: readonly string[],
  ...parts: readonly ReadonlyMap<string, Value>[]
): Map<string, Value> {
  const whole = new Map<string, Value>();
  for (const key of keys) {
    const part = parts.find((each) => each.has(key));
    if (part !== undefined) whole.set(key, part.get(key) as Value);
  }
  return whole;
}
