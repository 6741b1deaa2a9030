import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { ManagerCache } from './manager-cache.js';

function setUp(config = { ttl: 1000, maxSize: 3 }) {
  const clock = new ManualClock();
  const cache = new ManagerCache<number>(config, () => clock.nowMs());
  let fetches = 0;
  const fetch = (): Promise<number> => {
    fetches += 1;
    return Promise.resolve(fetches);
  };
  return { cache, clock, fetch, fetches: () => fetches };
}

describe('ManagerCache', () => {
  it('fetches once for concurrent callers', async () => {
    const { cache, fetch, fetches } = setUp();
    const values = await Promise.all(Array.from({ length: 100 }, () => cache.get(['a'], fetch)));
    expect(new Set(values)).toEqual(new Set([1]));
    expect(fetches()).toBe(1);
  });

  it('does not mind the order and repetition of ids, but what they are', async () => {
    const { cache, fetch } = setUp();
    expect(await cache.get(['a', 'b'], fetch)).toBe(1);
    expect(await cache.get(['b', 'a', 'a'], fetch)).toBe(1);
    expect(await cache.get(['a,b'], fetch)).toBe(2);
  });

  it('fetches again when the time is over', async () => {
    const { cache, clock, fetch } = setUp();
    await cache.get(['a'], fetch);
    clock.advance(999);
    expect(await cache.get(['a'], fetch)).toBe(1);
    clock.advance(1);
    expect(await cache.get(['a'], fetch)).toBe(2);
  });

  it('keeps what was used last when it is full', async () => {
    const { cache, fetch } = setUp();
    for (const id of ['a', 'b', 'c']) await cache.get([id], fetch);
    await cache.get(['a'], fetch);
    await cache.get(['d'], fetch);
    expect(cache.metrics()).toEqual({ hits: 1, misses: 4, sets: 4, evictions: 1, currentSize: 3 });
    expect(await cache.get(['a'], fetch)).toBe(1);
    expect(await cache.get(['b'], fetch)).toBe(5);
  });

  it('stays within its size whatever is asked for', async () => {
    const { cache, fetch } = setUp({ ttl: 60_000, maxSize: 10 });
    await Promise.all(Array.from({ length: 50 }, (_, id) => cache.get([String(id)], fetch)));
    expect(cache.metrics().currentSize).toBe(10);
  });

  it('does not keep a failure', async () => {
    const { cache, fetch } = setUp();
    const fail = (): Promise<number> => Promise.reject(new Error('no'));
    await expect(cache.get(['a'], fail)).rejects.toThrow('no');
    await expect(
      cache.get(['a'], () => {
        throw new Error('at once');
      }),
    ).rejects.toThrow('at once');
    expect(await cache.get(['a'], fetch)).toBe(1);
    expect(cache.metrics()).toMatchObject({ misses: 3, sets: 1 });
  });

  it('does not keep what was being fetched when it was cleared', async () => {
    const { cache, fetch } = setUp();
    const outdated = cache.get(['a'], fetch);
    cache.clear();
    expect(await outdated).toBe(1);
    expect(await cache.get(['a'], fetch)).toBe(2);
  });
});
