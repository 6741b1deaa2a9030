import { afterEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import type { Cache } from './cache.js';
import { CacheHub } from './cache-hub.js';
import { turn } from './testing/test-hub.js';

describe('Cache, for readers who cannot wait or want nothing old', () => {
  const clock = new ManualClock();
  let hub = new CacheHub({ clock });
  const made: (() => void)[] = [];
  let loads = 0;

  function cacheOf(): Cache<number> {
    return hub.cache<number>('numbers', { jitter: 0, ttlMs: 1_000, staleMs: 5_000 });
  }
  const load = (): number => (loads += 1);
  const gated = (): Promise<number> =>
    new Promise((resolve) => made.push(() => resolve((loads += 1))));

  afterEach(async () => {
    await hub.close();
    hub = new CacheHub({ clock });
    loads = 0;
    made.length = 0;
  });

  it('gives a fresh value of the first level at once, and nothing else', async () => {
    const cache = cacheOf();
    expect(cache.hit('k')).toBeUndefined();
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(cache.hit('k')).toBe(1);
    await cache.delete('k');
    expect(cache.hit('k')).toBeUndefined();
    await cache.getOrSet('tagged', load, { tags: ['t'] });
    expect(cache.hit('tagged')).toBe(2);
    await hub.invalidateTags(['t']);
    expect(cache.hit('tagged')).toBeUndefined();
    expect(cache.statistics()).toMatchObject({ l1Hits: 3 });
  });

  it('loads anew though there is a fresh value, and keeps that one until then', async () => {
    const cache = cacheOf();
    await cache.getOrSet('k', load);
    const reloaded = Promise.all([cache.reload('k', gated), cache.reload('k', gated)]);
    await turn();
    expect(await cache.get('k')).toBe(1);
    expect(made).toHaveLength(1);
    made[0]?.();
    expect(await reloaded).toMatchObject([{ value: 2, source: 'MISS' }, { value: 2 }]);
    expect(await cache.get('k')).toBe(2);
  });

  it('does not join a load that began before', async () => {
    const cache = cacheOf();
    const earlier = cache.getOrSet('k', gated);
    await turn();
    const later = cache.reload('k', gated);
    await turn();
    expect(made).toHaveLength(1);
    made[0]?.();
    await turn();
    expect(made).toHaveLength(2);
    made[1]?.();
    expect(await earlier).toBe(1);
    expect((await later).value).toBe(2);
  });

  it('serves what is stored when the new load fails', async () => {
    const cache = cacheOf();
    await cache.getOrSet('k', load);
    const failing = (): never => {
      throw new Error('away');
    };
    expect(await cache.reload('k', failing)).toMatchObject({ value: 1, source: 'STALE' });
    expect(await cache.get('k')).toBe(1);
    await expect(cache.reload('other', failing)).rejects.toThrow('away');
  });
});
