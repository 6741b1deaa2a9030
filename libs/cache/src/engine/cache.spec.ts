import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { CacheLoadTimeoutError } from '../errors/cache-load-timeout.error.js';
import { cacheLoad, type CacheLoad } from '../statistics/cache.channels.js';
import type { Cache } from './cache.js';
import { CacheHub } from './cache-hub.js';
import type { CacheOptions } from './cache.options.js';

/** A loader that a test lets go when it wants. */
function gatedLoad<Value>() {
  const calls: { resolve: (value: Value) => void; reject: (error: unknown) => void }[] = [];
  const load = (): Promise<Value> =>
    new Promise((resolve, reject) => calls.push({ resolve, reject }));
  return { calls, load };
}

async function turn(): Promise<void> {
  for (let index = 0; index < 5; index += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('Cache', () => {
  const clock = new ManualClock();
  let hub = new CacheHub({ clock, clockResolutionMs: 0 });
  let made = 0;

  function cacheOf<Value>(options: CacheOptions<Value> = {}): Cache<Value> {
    made += 1;
    return hub.cache<Value>(`test-${made}`, { jitter: 0, ttlMs: 1_000, ...options });
  }

  afterEach(async () => {
    await hub.close();
    hub = new CacheHub({ clock, clockResolutionMs: 0 });
  });

  it.each([0, '', false, null, Number.NaN])('keeps %p as a value', async (value) => {
    const cache = cacheOf<unknown>();
    let loads = 0;
    const load = (): unknown => {
      loads += 1;
      return value;
    };
    expect(await cache.getOrSet('k', load)).toBe(value);
    expect(await cache.getOrSet('k', load)).toBe(value);
    expect(loads).toBe(1);
    expect(await cache.getEntry('k')).toMatchObject({ value, source: 'L1' });
    await cache.set('written', value);
    expect((await cache.getMany(['written'])).has('written')).toBe(true);
  });

  it('binds no load by the deadline of the request that began it, for others wait for it too', async () => {
    const cache = cacheOf<unknown>();
    const seen: ReturnType<typeof currentContext>[] = [];
    const context = createContext({ userId: 'u', deadlineMs: performance.now() + 10 });
    await runWithContext(context, () => cache.getOrSet('k', () => seen.push(currentContext())));
    await runWithContext(context, () =>
      cache.getOrSetMany(['m'], () => {
        seen.push(currentContext());
        return Promise.resolve(new Map([['m', 1]]));
      }),
    );
    expect(seen).toMatchObject([
      { userId: 'u', deadlineMs: undefined },
      { userId: 'u', deadlineMs: undefined },
    ]);
  });

  it('takes undefined for no value, and stores that only when it has a life', async () => {
    const cache = cacheOf<number | undefined>();
    let loads = 0;
    const load = (): undefined => void (loads += 1);
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(loads).toBe(2);
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    expect(loads).toBe(3);
    expect(await cache.getEntry('k')).toMatchObject({ value: undefined });
    clock.advance(100);
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    expect(loads).toBe(4);
    await cache.set('k', 1);
    await cache.set('k', undefined);
    expect(await cache.getEntry('k')).toBeUndefined();
  });

  it('loads once for 100 concurrent callers and shares a failure among them', async () => {
    const cache = cacheOf<number>();
    const { calls, load } = gatedLoad<number>();
    const reads = Array.from({ length: 100 }, () => cache.getOrSet('k', load));
    await turn();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(7);
    expect(new Set(await Promise.all(reads))).toEqual(new Set([7]));
    const failing = Array.from({ length: 100 }, () => cache.getOrSet('bad', load));
    await turn();
    expect(calls).toHaveLength(2);
    calls[1]?.reject(new Error('no'));
    const outcomes = await Promise.allSettled(failing);
    expect(outcomes.every((outcome) => outcome.status === 'rejected')).toBe(true);
    expect(
      new Set(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason)),
    ).toHaveProperty('size', 1);
  });

  it('passes on what a loader throws before it returns a promise', async () => {
    const cache = cacheOf<number>();
    const load = (): number => {
      throw new TypeError('at once');
    };
    await expect(cache.getOrSet('k', load)).rejects.toThrow('at once');
    expect(await cache.getOrSet('k', () => 2)).toBe(2);
  });

  it('forgets after the life of a value, which may depend on the value', async () => {
    const cache = cacheOf<number>({ ttlMs: (value) => value });
    await cache.getOrSet('k', () => 50);
    clock.advance(49);
    expect(await cache.get('k')).toBe(50);
    clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
    await cache.getOrSet('k', () => 0);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('spreads the ends of entries that are written together', async () => {
    const cache = cacheOf<number>({ jitter: 0.2 });
    const ends = new Set<number>();
    for (let index = 0; index < 200; index += 1) {
      await cache.set(`k${index}`, index);
      ends.add((await cache.getEntry(`k${index}`))?.expiresMs ?? 0);
    }
    expect(ends.size).toBeGreaterThan(50);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(clock.nowMs() + 800);
    expect(Math.max(...ends)).toBeLessThanOrEqual(clock.nowMs() + 1_001);
  });

  it.each<[string, (cache: Cache<number>) => Promise<unknown>]>([
    ['the key is deleted', (cache) => cache.delete('k')],
    ['the key is written', (cache) => cache.set('k', 2)],
    ['a tag is invalidated', () => hub.invalidateTags(['red'])],
    ['a tag that only the value tells is invalidated', () => hub.invalidateTags(['late'])],
    ['the namespace is cleared', (cache) => cache.clear()],
    ['everything is cleared', () => hub.clear()],
  ])(
    'gives a load its callers and does not store it when %s meanwhile',
    async (name, invalidate) => {
      const tags = name.includes('only the value') ? (): string[] => ['late'] : ['red'];
      const cache = cacheOf<number>({ tags });
      const { calls, load } = gatedLoad<number>();
      const early = cache.getOrSet('k', load);
      await turn();
      await invalidate(cache);
      const late = cache.getOrSet('k', () => 2);
      await turn();
      calls[0]?.resolve(1);
      expect(await early).toBe(1);
      expect(await late).toBe(2);
      expect(await cache.getOrSet('k', () => 2)).toBe(2);
    },
  );

  it('does not load again because of a tag that the value does not have', async () => {
    const cache = cacheOf<number>({ tags: ['red'] });
    const { calls, load } = gatedLoad<number>();
    const reads = [cache.getOrSet('k', load)];
    await turn();
    await hub.invalidateTags(['blue']);
    reads.push(cache.getOrSet('k', load));
    await turn();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(1);
    expect(await Promise.all(reads)).toEqual([1, 1]);
    expect(await cache.get('k')).toBe(1);
  });

  it('invalidates what has a tag in every namespace, and nothing else', async () => {
    const [a, b] = [cacheOf<number>(), cacheOf<number>()];
    await a.set('k', 1, { tags: ['red', 'round'] });
    await b.set('k', 2, { tags: ['red'] });
    await b.set('other', 3, { tags: ['blue'] });
    await b.set('none', 4);
    await hub.invalidateTags(['red']);
    expect([
      ...(await a.getMany(['k'])).values(),
      ...(await b.getMany(['k', 'other', 'none'])).values(),
    ]).toEqual([3, 4]);
    await b.clear();
    expect((await b.getMany(['other', 'none'])).size).toBe(0);
  });

  it('serves a stale value when the loader fails, and tries again after a while only', async () => {
    const cache = cacheOf<number>({ staleMs: 10_000, errorThrottleMs: 500 });
    await cache.set('k', 1);
    clock.advance(1_000);
    let tries = 0;
    const fail = (): number => {
      tries += 1;
      throw new Error('away');
    };
    expect(await cache.getOrSetEntry('k', fail)).toMatchObject({ value: 1, source: 'STALE' });
    expect(await cache.getOrSet('k', fail)).toBe(1);
    expect(tries).toBe(1);
    clock.advance(500);
    expect(await cache.getOrSet('k', fail)).toBe(1);
    expect(tries).toBe(2);
    clock.advance(10_000);
    await expect(cache.getOrSet('k', fail)).rejects.toThrow('away');
  });

  it('serves nothing stale that was invalidated', async () => {
    const cache = cacheOf<number>({ staleMs: 10_000, tags: ['red'] });
    await cache.set('a', 1);
    await cache.set('b', 1);
    clock.advance(1_000);
    await hub.invalidateTags(['red']);
    await cache.delete('b');
    const fail = (): Promise<number> => Promise.reject(new Error('away'));
    await expect(cache.getOrSet('a', fail)).rejects.toThrow('away');
    await expect(cache.getOrSet('b', fail)).rejects.toThrow('away');
  });

  it('serves a stale value at once while it loads the next', async () => {
    const cache = cacheOf<number>({ revalidateMs: 500 });
    await cache.set('k', 1);
    clock.advance(1_100);
    const { calls, load } = gatedLoad<number>();
    expect(await cache.getOrSetEntry('k', load)).toMatchObject({ value: 1, source: 'STALE' });
    expect(await cache.getOrSet('k', load)).toBe(1);
    await turn();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(2);
    await turn();
    expect(await cache.getOrSet('k', load)).toBe(2);
    clock.advance(1_600);
    const blocking = cache.getOrSet('k', load);
    await turn();
    calls[1]?.resolve(3);
    expect(await blocking).toBe(3);
  });

  it('serves a stale value when loading takes longer than the soft time-out', async () => {
    const cache = cacheOf<number>({ staleMs: 60_000, softTimeoutMs: 5 });
    await cache.set('k', 1);
    clock.advance(2_000);
    const { calls, load } = gatedLoad<number>();
    expect(await cache.getOrSetEntry('k', load)).toMatchObject({ value: 1, source: 'STALE' });
    calls[0]?.resolve(2);
    await turn();
    expect(await cache.getOrSet('k', load)).toBe(2);
  });

  it('gives up at the hard time-out, tells the loader, and stores what comes late', async () => {
    const cache = cacheOf<number>({ hardTimeoutMs: 5 });
    let signal: AbortSignal | undefined;
    const { calls, load } = gatedLoad<number>();
    const read = cache.getOrSet('k', (context) => {
      ({ signal } = context);
      return load();
    });
    await expect(read).rejects.toThrow(CacheLoadTimeoutError);
    expect(signal?.aborted).toBe(true);
    calls[0]?.resolve(1);
    await turn();
    expect(await cache.get('k')).toBe(1);
  });

  it('does not store what comes after the hard time-out and an invalidation', async () => {
    const cache = cacheOf<number>({ hardTimeoutMs: 5 });
    const { calls, load } = gatedLoad<number>();
    await expect(cache.getOrSet('k', load)).rejects.toThrow(CacheLoadTimeoutError);
    await cache.delete('k');
    calls[0]?.resolve(1);
    await turn();
    expect(await cache.get('k')).toBeUndefined();
  });

  it('refreshes ahead of the end, once, without a caller waiting', async () => {
    const cache = cacheOf<number>({ refreshAhead: 0.8 });
    await cache.set('k', 1);
    const { calls, load } = gatedLoad<number>();
    clock.advance(799);
    await cache.getOrSet('k', load);
    expect(calls).toHaveLength(0);
    clock.advance(1);
    expect(await cache.getOrSet('k', load)).toBe(1);
    expect(await cache.getOrSet('k', load)).toBe(1);
    await turn();
    expect(calls).toHaveLength(1);
    calls[0]?.resolve(2);
    await turn();
    expect(await cache.getOrSet('k', load)).toBe(2);
  });

  it('refreshes early at random, near the end only', async () => {
    const cache = cacheOf<number>({ xfetchBeta: 1, ttlMs: 10_000 });
    const slow = (): number => {
      clock.advance(100);
      return 1;
    };
    await cache.getOrSet('k', slow);
    const refreshesAt = async (): Promise<number> => {
      const before = cache.statistics().loads;
      for (let index = 0; index < 2_000; index += 1)
        await cache.getOrSet('k', () => new Promise<number>(() => undefined));
      await turn();
      return cache.statistics().loads - before;
    };
    clock.advance(5_000);
    expect(await refreshesAt()).toBe(0);
    clock.advance(4_800);
    expect(await refreshesAt()).toBe(1);
    await hub.close(1);
    hub = new CacheHub({ clock, clockResolutionMs: 0 });
  });

  it('answers a failure again for as long as it is asked to', async () => {
    const cache = cacheOf<number>({ errorTtlMs: 100 });
    let loads = 0;
    const fail = (): Promise<number> => {
      loads += 1;
      return Promise.reject(new Error('absent'));
    };
    for (let index = 0; index < 3; index += 1) {
      await expect(cache.getOrSet('k', fail)).rejects.toThrow('absent');
    }
    expect(loads).toBe(1);
    clock.advance(100);
    expect(await cache.getOrSet('k', () => 1)).toBe(1);
  });

  it('reads many in one load, joined with the loads of single keys', async () => {
    const cache = cacheOf<string>();
    await cache.set('a', 'A');
    const { calls, load } = gatedLoad<string>();
    const single = cache.getOrSet('b', load);
    const asked: (readonly string[])[] = [];
    const many = cache.getOrSetMany(['a', 'b', 'c', 'd', 'c'], (missing) => {
      asked.push(missing);
      return Promise.resolve(new Map([['c', 'C']]));
    });
    await turn();
    calls[0]?.resolve('B');
    expect(await many).toEqual(
      new Map([
        ['a', 'A'],
        ['b', 'B'],
        ['c', 'C'],
      ]),
    );
    expect(await single).toBe('B');
    expect(asked).toEqual([['c', 'd']]);
    expect(await cache.getMany(['b', 'c', 'd'])).toEqual(
      new Map([
        ['b', 'B'],
        ['c', 'C'],
      ]),
    );
  });

  it('rejects all that wait for a load of many that fails', async () => {
    const cache = cacheOf<string>();
    const many = cache.getOrSetMany(['a', 'b'], () => Promise.reject(new Error('away')));
    const joined = cache.getOrSet('a', () => 'A');
    await expect(many).rejects.toThrow('away');
    await expect(joined).rejects.toThrow('away');
    expect(await cache.getOrSet('a', () => 'A')).toBe('A');
  });

  it('is bounded by items and by bytes, at once when it shrinks', async () => {
    const cache = cacheOf<string>({ maxItems: 10, maxBytes: 1_000_000 });
    for (let index = 0; index < 50; index += 1) await cache.set(`k${index}`, 'x'.repeat(50_000));
    expect(cache.statistics().items).toBe(10);
    cache.resize({ maxBytes: 200_000 });
    expect(cache.statistics().bytes).toBeLessThanOrEqual(200_000);
    expect(cache.statistics().items).toBeLessThan(5);
  });

  it('shares the object, freezes it or gives copies, as asked', async () => {
    const shared = cacheOf<{ list: number[] }>();
    const value = { list: [1] };
    await shared.set('k', value);
    expect(await shared.get('k')).toBe(value);
    const frozen = cacheOf<{ list: number[] }>({ freeze: true });
    await frozen.set('k', { list: [1] });
    const kept = await frozen.getOrSet('k', () => ({ list: [] }));
    expect(Object.isFrozen(kept.list)).toBe(true);
    const cloned = cacheOf<{ list: number[] }>({ clone: true });
    await cloned.set('k', { list: [1] });
    const copy = await cloned.getOrSet('k', () => ({ list: [] }));
    copy.list.push(2);
    expect(await cloned.get('k')).toEqual({ list: [1] });
  });

  it('leaves nothing behind of work that has ended', async () => {
    const cache = cacheOf<number>({ tags: ['red'] });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => cache.getOrSet(`k${index}`, () => index)),
    );
    await hub.drain();
    expect(hub.backgroundTasks).toBe(0);
    const { core } = cache as unknown as {
      core: { guards: { size: number } };
    };
    expect(core.guards.size).toBe(0);
  });

  it('counts reads, loads, hot and missed keys, and tells of loads', async () => {
    const loads: CacheLoad[] = [];
    const leave = cacheLoad.subscribe((load) => loads.push(load));
    const cache = cacheOf<number>();
    for (let index = 0; index < 640; index += 1) await cache.getOrSet('hot', () => 1);
    await cache.get('absent');
    leave();
    const { namespace } = cache;
    expect(loads).toMatchObject([
      { namespace, key: 'hot', outcome: 'stored', isBackground: false },
    ]);
    expect(cache.statistics()).toMatchObject({
      namespace,
      l1Hits: 639,
      l1Misses: 2,
      loads: 1,
      items: 1,
      hotKeys: [{ key: 'hot', count: 9 }],
      missedKeys: [
        { key: 'hot', count: 1 },
        { key: 'absent', count: 1 },
      ],
    });
  });

  it('closes although a loader hangs, and twice', async () => {
    const own = new CacheHub({ clock, clockResolutionMs: 0 });
    void own.cache('hangs').getOrSet('k', () => new Promise(() => undefined));
    await own.close(5);
    await own.close();
    expect(own.backgroundTasks).toBe(1);
  });

  it('refuses options that cannot work', () => {
    expect(() => cacheOf({ ttlMs: -1 })).toThrow('ttlMs');
    expect(() => cacheOf({ jitter: 2 })).toThrow('jitter');
    expect(() => hub.cache('a:b')).toThrow('a:b');
  });
});
