import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';
import { CacheHub, EntryCodec, RedisTier, RedisVersionStore } from '#libs/cache';
import { SystemClock } from '#libs/core';

export type Load = (key: string) => unknown;

/** A cache as the benchmark uses it. What a library has no word for is left out. */
export interface Contestant {
  readonly name: string;
  getOrSet(key: string, load: Load): Promise<unknown>;
  set?(key: string, value: unknown): Promise<unknown>;
  getMany?(keys: string[]): Promise<unknown>;
}

export const TTL_MS = 3_600_000;

/** The version of an installed package. */
export function versionOf(name: string): string {
  const require = createRequire(import.meta.url);
  for (const folder of require.resolve.paths(name) ?? []) {
    try {
      return (require(`${folder}/${name}/package.json`) as { version: string }).version;
    } catch {
      // It is in a folder further up.
    }
  }
  return 'absent';
}

/** In-memory caches for `items` entries. A library that does not load here is named in `onAbsent`. */
export async function memoryContestants(
  items: number,
  onAbsent: (name: string, error: unknown) => void,
): Promise<Contestant[]> {
  const made: Contestant[] = [];
  for (const [name, make] of makers(items)) {
    try {
      made.push(await make());
    } catch (error) {
      onAbsent(name, error);
    }
  }
  return made;
}

/** How each of the in-memory caches is made, by name. */
export function makers(items: number): [string, () => Promise<Contestant>][] {
  return [
    ['async lru-cache get', () => lruCache(items)],
    ['pantheon', () => pantheon(items, [])],
    ['pantheon, two tags', () => pantheon(items, ['one', 'two'])],
    ['cache-manager', cacheManager],
    ['cacheable', () => cacheable(items)],
    ['bentocache', () => bentocache(items)],
    ['async-cache-dedupe', () => asyncCacheDedupe(items)],
    ['layered-loader', () => layeredLoader(items)],
  ];
}

async function lruCache(items: number): Promise<Contestant> {
  const { LRUCache } = await import('lru-cache');
  const cache = new LRUCache<string, object>({ max: items, ttl: TTL_MS });
  return {
    name: 'async lru-cache get',
    // eslint-disable-next-line typescript/require-await -- the promise is what is measured
    async getOrSet(key, load) {
      const found = cache.get(key);
      if (found !== undefined) return found;
      const value = load(key) as object;
      cache.set(key, value);
      return value;
    },
    getMany: (keys) => Promise.resolve(keys.map((key) => cache.get(key))),
  };
}

function pantheon(items: number, tags: readonly string[]): Promise<Contestant> {
  const options = { maxItems: items, maxBytes: 1024 ** 3, ttlMs: TTL_MS };
  const cache = new CacheHub().cache('bench', options);
  let load: Load = () => undefined;
  // One function for all calls, as a method of a service is.
  const loader = ({ key }: { readonly key: string }): unknown => load(key);
  const callOptions = tags.length === 0 ? undefined : { tags };
  return Promise.resolve({
    name: tags.length === 0 ? 'pantheon' : 'pantheon, two tags',
    getOrSet(key, given) {
      load = given;
      return cache.getOrSet(key, loader, callOptions);
    },
    getMany: (keys) => cache.getMany(keys),
  });
}

async function cacheManager(): Promise<Contestant> {
  const { createCache } = await import('cache-manager');
  const cache = createCache({ ttl: TTL_MS });
  return {
    name: 'cache-manager',
    getOrSet: (key, load) => cache.wrap(key, () => load(key)),
    getMany: (keys) => cache.mget(keys),
  };
}

async function cacheable(items: number): Promise<Contestant> {
  const { Cacheable, KeyvCacheableMemory } = await import('cacheable');
  const { Keyv } = await import('keyv');
  const store = new KeyvCacheableMemory({ lruSize: items, useClone: false });
  const cache = new Cacheable({ primary: new Keyv({ store, useKeyPrefix: false }), ttl: TTL_MS });
  return {
    name: 'cacheable',
    getOrSet: (key, load) => cache.getOrSet(key, () => Promise.resolve(load(key))),
    getMany: (keys) => cache.getMany(keys),
  };
}

async function bentocache(items: number): Promise<Contestant> {
  const { BentoCache, bentostore } = await import('bentocache');
  const { memoryDriver } = await import('bentocache/drivers/memory');
  const store = bentostore().useL1Layer(memoryDriver({ maxItems: items, serialize: false }));
  const cache = new BentoCache({ default: 'memory', ttl: TTL_MS, stores: { memory: store } });
  return {
    name: 'bentocache',
    getOrSet: (key, load) => cache.getOrSet({ key, factory: () => load(key) }),
  };
}

async function asyncCacheDedupe(items: number): Promise<Contestant> {
  const { createCache } = await import('async-cache-dedupe');
  let load: Load = () => undefined;
  const cache = createCache({
    ttl: TTL_MS / 1_000,
    storage: { type: 'memory', options: { size: items } },
  }).define('value', (key: string) => Promise.resolve(load(key)));
  const { value } = cache as unknown as { value: (key: string) => Promise<unknown> };
  return {
    name: 'async-cache-dedupe',
    getOrSet(key, given) {
      load = given;
      return value.call(cache, key);
    },
  };
}

async function layeredLoader(items: number): Promise<Contestant> {
  const { Loader } = await import('layered-loader/core');
  let load: Load = () => undefined;
  const loader = new Loader<object>({
    inMemoryCache: { ttlInMsecs: TTL_MS, maxItems: items, cacheType: 'lru-object' },
    dataSources: [
      {
        name: 'source',
        get: (key: string) => Promise.resolve(load(key) as object),
        getMany: (keys: string[]) => Promise.resolve(keys.map((key) => load(key) as object)),
      },
    ],
  });
  return {
    name: 'layered-loader',
    getOrSet(key, given) {
      load = given;
      return loader.get(key);
    },
  };
}

/** Caches whose entries are in Redis and not in memory. */
export async function redisContestants(redis: Redis, url: string): Promise<Contestant[]> {
  const clock = new SystemClock();
  const tier = new RedisTier({ redis, codec: new EntryCodec(), clock, prefix: 'bench:' });
  const hub = new CacheHub({ tiers: [{ tier }], versions: new RedisVersionStore({ redis }) });
  const own = hub.cache('bench', { maxItems: 0, ttlMs: TTL_MS });
  const { createCache } = await import('cache-manager');
  const { Keyv } = await import('keyv');
  const { default: KeyvRedis } = await import('@keyv/redis');
  const manager = createCache({ stores: [new Keyv({ store: new KeyvRedis(url) })], ttl: TTL_MS });
  const { BentoCache, bentostore } = await import('bentocache');
  const { redisDriver } = await import('bentocache/drivers/redis');
  const store = bentostore().useL2Layer(redisDriver({ connection: redis }));
  const bento = new BentoCache({ default: 'redis', ttl: TTL_MS, stores: { redis: store } });
  const parsed = (text: string | null): unknown => (text === null ? undefined : JSON.parse(text));
  return [
    {
      name: 'ioredis GET and JSON.parse',
      getOrSet: async (key) => parsed(await redis.get(`plain:${key}`)),
      set: (key, value) => redis.set(`plain:${key}`, JSON.stringify(value), 'PX', TTL_MS),
      getMany: async (keys) => (await redis.mget(keys.map((key) => `plain:${key}`))).map(parsed),
    },
    {
      name: 'pantheon',
      getOrSet: (key, load) => own.getOrSet(key, ({ key: asked }) => load(asked)),
      set: (key, value) => own.set(key, value),
      getMany: (keys) => own.getMany(keys),
    },
    {
      name: 'cache-manager',
      getOrSet: (key, load) => manager.wrap(key, () => load(key)),
      set: (key, value) => manager.set(key, value),
      getMany: (keys) => manager.mget(keys),
    },
    {
      name: 'bentocache',
      getOrSet: (key, load) => bento.getOrSet({ key, factory: () => load(key) }),
      set: (key, value) => bento.set({ key, value }),
    },
  ];
}
