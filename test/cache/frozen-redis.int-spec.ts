import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/core';
import {
  CacheHub,
  EntryCodec,
  MemoryVersionStore,
  RedisBackplane,
  RedisTier,
  RedisVersionStore,
} from '#libs/cache';
import { startRedisServer } from '../support/redis-server.js';

const TIER_TIMEOUT_MS = 100;
const SOFT_TIMEOUT_MS = 30;
const LOADER_MS = 50;
const ATTEMPTS = 3;
/** What a busy machine may add to a timer; the promise itself is 10 ms. */
const SLACK_MS = 40;

describe('a cache on a Redis that stands still', () => {
  let server: Awaited<ReturnType<typeof startRedisServer>>;
  let redis: Redis;
  const hubs: CacheHub[] = [];

  beforeEach(async () => {
    server = await startRedisServer();
    redis = new Redis(server.url, { maxRetriesPerRequest: 1 });
  });

  afterEach(async () => {
    signal('SIGCONT');
    await Promise.all(hubs.splice(0).map((hub) => hub.close()));
    redis.disconnect();
    await server.stop();
  });

  function signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    if (server.pid !== undefined) process.kill(server.pid, name);
  }

  async function hubOf(): Promise<CacheHub> {
    const clock = new SystemClock();
    const hub = new CacheHub({
      clock,
      tiers: [
        {
          tier: new RedisTier({ redis, codec: new EntryCodec(), clock }),
          timeoutMs: TIER_TIMEOUT_MS,
        },
      ],
      versions: new RedisVersionStore({ redis }),
      versionsTimeoutMs: TIER_TIMEOUT_MS,
      backplane: new RedisBackplane({ redis }),
      heartbeatMs: 200,
      publishTimeoutMs: TIER_TIMEOUT_MS,
    });
    await hub.start();
    hubs.push(hub);
    return hub;
  }

  /** The quickest of a few: a busy machine makes a call slower, and never quicker. */
  async function quickest(run: (attempt: number) => Promise<unknown>): Promise<number> {
    let quickestMs = Infinity;
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      quickestMs = Math.min(quickestMs, (await timed(() => run(attempt))).ms);
    }
    return quickestMs;
  }

  async function timed<Value>(run: () => Promise<Value>): Promise<{ value: Value; ms: number }> {
    const startedMs = performance.now();
    const value = await run();
    return { value, ms: performance.now() - startedMs };
  }

  const slowly = (value: number) => async (): Promise<number> => {
    await sleep(LOADER_MS);
    return value;
  };

  it('starts without it, and hears the others once it goes on', async () => {
    signal('SIGSTOP');
    const own = new Redis(server.url, { lazyConnect: true, enableOfflineQueue: false });
    own.on('error', () => undefined);
    const heartbeatMs = 200;
    const backplane = new RedisBackplane({ redis: own });
    const hub = new CacheHub({ backplane, heartbeatMs, publishTimeoutMs: TIER_TIMEOUT_MS });
    hubs.push(hub);
    try {
      own.connect().catch(() => undefined);
      const { ms } = await timed(() => hub.start());
      expect(ms).toBeLessThan(2.5 * heartbeatMs + 1_000);
      expect(hub.isInSync).toBe(false);
      expect(await hub.cache<number>('orders').getOrSet('k', () => 1)).toBe(1);
      signal('SIGCONT');
      const startedMs = performance.now();
      while (!hub.isInSync && performance.now() - startedMs < 10_000) await sleep(20);
      expect(hub.isInSync).toBe(true);
    } finally {
      own.disconnect();
    }
  }, 30_000);

  it('answers a hit at once, a stale one after the soft time-out, a cold one after loader and level', async () => {
    const hub = await hubOf();
    const cache = hub.cache<number>('orders', {
      ttlMs: 60_000,
      staleMs: 60_000,
      softTimeoutMs: SOFT_TIMEOUT_MS,
    });
    await cache.set('fresh', 1);
    for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
      await cache.set(`stale-${attempt}`, 1, { ttlMs: 1 });
    }
    await sleep(20);
    signal('SIGSTOP');

    const freshMs = await quickest(async () => {
      expect(await cache.getOrSet('fresh', slowly(2))).toBe(1);
    });
    expect(freshMs).toBeLessThan(10);

    const staleMs = await quickest(async (attempt) => {
      const stale = await cache.getOrSetEntry(`stale-${attempt}`, slowly(2));
      expect(stale).toMatchObject({ value: 1, source: 'STALE' });
    });
    expect(staleMs).toBeLessThan(SOFT_TIMEOUT_MS + 10 + SLACK_MS);

    const coldMs = await quickest(async (attempt) => {
      expect(await cache.getOrSet(attempt === 0 ? 'cold' : `cold-${attempt}`, slowly(3))).toBe(3);
    });
    expect(coldMs).toBeLessThan(TIER_TIMEOUT_MS + LOADER_MS + SLACK_MS);

    // Five failures open the breaker; from then on nobody waits for Redis.
    for (let index = 0; index < 6; index += 1) await cache.getOrSet(`open-${index}`, () => index);
    const open = await timed(() => cache.getOrSet('no wait', slowly(4)));
    expect(open.ms).toBeLessThan(LOADER_MS + SLACK_MS);
    expect(await cache.getOrSet('cold', slowly(9))).toBe(3);
  });

  it('notices the silence, and after it trusts nothing that others may have changed', async () => {
    const [a, b] = [await hubOf(), await hubOf()];
    const [onA, onB] = [a.cache<number>('orders'), b.cache<number>('orders')];
    await onB.getOrSet('k', () => 1);
    await b.drain();
    signal('SIGSTOP');
    const receipt = await onA.delete('k');
    expect(receipt).toEqual({ acknowledged: false });
    while (b.isInSync) await sleep(10);
    signal('SIGCONT');
    const startedMs = performance.now();
    let value = 1;
    while (value === 1 && performance.now() - startedMs < 10_000) {
      await sleep(20);
      value = await onB.getOrSet('k', () => 2);
    }
    expect(performance.now() - startedMs).toBeLessThan(5_000);
    // The deletion that was made late may have come after the load of 2.
    expect([2, 3]).toContain(await onA.getOrSet('k', () => 3));
  });

  it('starts without Redis, works, and joins the others when it is there', async () => {
    const clock = new SystemClock();
    const away = new Redis('redis://127.0.0.1:1', {
      maxRetriesPerRequest: 1,
      retryStrategy: () => 50,
      disconnectTimeout: 50,
    });
    away.on('error', () => undefined);
    const hub = new CacheHub({
      clock,
      tiers: [
        { tier: new RedisTier({ redis: away, codec: new EntryCodec(), clock }), timeoutMs: 20 },
      ],
      versions: new MemoryVersionStore(),
      backplane: new RedisBackplane({ redis: away }),
      heartbeatMs: 50,
      publishTimeoutMs: 20,
    });
    await hub.start();
    expect(hub.isInSync).toBe(false);
    const cache = hub.cache<number>('orders');
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
    expect(await cache.getEntry('k')).toMatchObject({ value: 1, source: 'L1' });
    expect(await cache.delete('k')).toEqual({ acknowledged: false });
    expect(await cache.get('k')).toBeUndefined();
    await hub.close();
    away.disconnect();
  });
});
