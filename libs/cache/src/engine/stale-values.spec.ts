import { afterEach, describe, expect, it } from '@jest/globals';
import { cacheOf, clock, gatedLoad, hub, renewHub, turn } from './testing/test-hub.js';

describe('Cache', () => {
  afterEach(renewHub);

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
    // The loads never end; nothing waits for them longer than that.
    await hub.close(1);
  });
});
