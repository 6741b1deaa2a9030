import { EventEmitter } from 'node:events';
import type { Cache } from '../engine/cache.js';
import { type CacheFault, cacheFault } from '../statistics/cache.channels.js';
import { assertKeyvMajor } from './keyv-major.js';

/** The token under which `@nestjs/cache-manager` provides and injects its cache. */
export const CACHE_MANAGER = 'CACHE_MANAGER';

/** What listeners of a `CacheManagerFacade` are told; `error` is there when it failed. */
export interface CacheManagerEvents {
  readonly set: { readonly key: string; readonly value: unknown; readonly error?: unknown };
  readonly del: { readonly key: string; readonly error?: unknown };
  readonly clear: unknown;
  readonly refresh: { readonly key: string; readonly value: unknown; readonly error?: unknown };
}

/** Options of `wrap`, as cache-manager 7 takes them. */
export interface WrapOptions<Value> {
  readonly ttl?: number | ((value: Value) => number);
  /** The value is loaded again in the background when less than this is left of its life. */
  readonly refreshThreshold?: number | ((value: Value) => number);
}

/**
 * A cache of this engine with the interface of cache-manager 7, so that modules and users of
 * `@nestjs/cache-manager` work with it unchanged: provide it under `CACHE_MANAGER`. Times are in
 * milliseconds; a life of 0 is the longest one there is, as there.
 */
export class CacheManagerFacade {
  readonly stores: readonly unknown[] = [];
  private readonly events = new EventEmitter();

  /** Throws `KeyvIncompatibleError` when a Keyv is installed that users of cache-manager must not get. */
  constructor(
    private readonly cache: Cache,
    private readonly maxTtlMs = 86_400_000,
  ) {
    assertKeyvMajor();
  }

  async get<Value>(key: string): Promise<Value | undefined> {
    return (await this.cache.get(key)) as Value | undefined;
  }

  async mget<Value>(keys: string[]): Promise<(Value | undefined)[]> {
    const found = await this.cache.getMany(keys);
    return keys.map((key) => found.get(key) as Value | undefined);
  }

  /** When the entry ends, in milliseconds since the Unix epoch; undefined without one. */
  async ttl(key: string): Promise<number | undefined> {
    return (await this.cache.getEntry(key))?.expiresMs;
  }

  async set<Value>(key: string, value: Value, ttl?: number): Promise<Value> {
    await this.cache.set(key, value, this.lifeOf(ttl));
    this.events.emit('set', { key, value });
    return value;
  }

  async mset<Value>(
    list: { key: string; value: Value; ttl?: number }[],
  ): Promise<{ key: string; value: Value; ttl?: number }[]> {
    // Entries of one life are written together.
    const byTtl = groupByTtl(list);
    await Promise.all(
      [...byTtl].map(([ttl, entries]) =>
        this.cache.setMany(
          entries.map(({ key, value }) => [key, value] as const),
          this.lifeOf(ttl),
        ),
      ),
    );
    for (const { key, value } of list) this.events.emit('set', { key, value });
    return list;
  }

  async del(key: string): Promise<boolean> {
    await this.cache.delete(key);
    this.events.emit('del', { key });
    return true;
  }

  async mdel(keys: string[]): Promise<boolean> {
    await this.cache.deleteMany(keys);
    for (const key of keys) this.events.emit('del', { key });
    return true;
  }

  async clear(): Promise<boolean> {
    await this.cache.clear();
    this.events.emit('clear');
    return true;
  }

  /** The value of the key, computed once for concurrent callers when there is none. */
  wrap<Value>(
    key: string,
    compute: () => Value | Promise<Value>,
    ttlOrOptions?: number | ((value: Value) => number) | WrapOptions<Value>,
    refreshThreshold?: number | ((value: Value) => number),
  ): Promise<Value> {
    const options: WrapOptions<Value> =
      typeof ttlOrOptions === 'object'
        ? ttlOrOptions
        : {
            ...(ttlOrOptions === undefined ? {} : { ttl: ttlOrOptions }),
            ...(refreshThreshold === undefined ? {} : { refreshThreshold }),
          };
    return this.cache.getOrSet(key, compute, this.wrapOptions(options)) as Promise<Value>;
  }

  on<Event extends keyof CacheManagerEvents>(
    event: Event,
    listener: (data: CacheManagerEvents[Event]) => void,
  ): EventEmitter {
    return this.events.on(event, listener);
  }

  off<Event extends keyof CacheManagerEvents>(
    event: Event,
    listener: (data: CacheManagerEvents[Event]) => void,
  ): EventEmitter {
    return this.events.off(event, listener);
  }

  cacheId(): string {
    return this.cache.namespace;
  }

  /** Calls the listener with what failed behind the scenes, until the returned function is called. */
  onFault(listener: (fault: CacheFault) => void): () => void {
    return cacheFault.subscribe(listener);
  }

  /** The hub that made the cache closes it. */
  disconnect(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  private lifeOf(ttl: number | undefined): { ttlMs?: number } {
    if (ttl === undefined) return {};
    return { ttlMs: ttl === 0 ? this.maxTtlMs : ttl };
  }

  private wrapOptions<Value>({ ttl, refreshThreshold }: WrapOptions<Value>) {
    const ttlMs =
      typeof ttl === 'function'
        ? (value: unknown): number => this.lifeOf(ttl(value as Value)).ttlMs ?? 0
        : this.lifeOf(ttl).ttlMs;
    const ahead = typeof ttlMs === 'number' && typeof refreshThreshold === 'number' && ttlMs > 0;
    return {
      ...(ttlMs === undefined ? {} : { ttlMs }),
      ...(ahead ? { refreshAhead: Math.min(1, Math.max(0, 1 - refreshThreshold / ttlMs)) } : {}),
    };
  }
}

function groupByTtl<Entry extends { ttl?: number }>(
  list: readonly Entry[],
): Map<number | undefined, Entry[]> {
  const groups = new Map<number | undefined, Entry[]>();
  for (const entry of list) {
    const group = groups.get(entry.ttl);
    if (group === undefined) groups.set(entry.ttl, [entry]);
    else group.push(entry);
  }
  return groups;
}
