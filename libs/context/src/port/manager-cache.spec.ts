import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { ManagerCache, type ManagerCacheConfig } from './manager-cache.js';

interface TestManager {
  readonly name: string;
  readonly fetch: number;
  cleanup(): Promise<void>;
}

const NAMES = ['a', 'b', 'c', 'd', 'a,b'];

function setUp(config: ManagerCacheConfig = { ttl: 1000, maxSize: 3 }, names = NAMES) {
  const clock = new ManualClock();
  const closed: string[] = [];
  let fetches = 0;
  let fetch = (): Promise<TestManager[]> =>
    Promise.resolve(
      names.map((name) => {
        const manager = { name, fetch: fetches };
        const cleanup = (): Promise<void> => {
          closed.push(`${name} of ${manager.fetch}`);
          return Promise.resolve();
        };
        return { ...manager, cleanup };
      }),
    );
  const cache = new ManagerCache<TestManager>(
    config,
    () => {
      fetches += 1;
      return fetch();
    },
    clock,
  );
  return {
    cache,
    clock,
    closed,
    fetches: () => fetches,
    fetchBy: (next: () => Promise<TestManager[]>) => (fetch = next),
    /** Names and fetches of what the cache gives. */
    get: (...ids: string[]) =>
      cache.use(ids, (managers) =>
        Promise.resolve(managers.map(({ name, fetch: from }) => `${name}${from}`)),
      ),
  };
}

describe('ManagerCache', () => {
  it('fetches once for concurrent callers', async () => {
    const { cache, get, fetches } = setUp();
    await Promise.all(Array.from({ length: 100 }, () => get('a')));
    expect(fetches()).toBe(1);
    expect(cache.metrics()).toMatchObject({ hits: 99, misses: 1 });
  });

  it('does not mind the order and repetition of ids, but what they are', async () => {
    const { cache, get, fetches } = setUp();
    expect(await get('a', 'b')).toEqual(['a1', 'b1']);
    expect(await get('b', 'a', 'a')).toEqual(['a1', 'b1']);
    expect(cache.metrics()).toMatchObject({ sets: 1, currentSize: 1 });
    expect(await get('a,b')).toEqual(['a,b1']);
    expect(cache.metrics()).toMatchObject({ hits: 2, misses: 1, sets: 2, currentSize: 2 });
    expect(fetches()).toBe(1);
  });

  it('gives managers in the order of the fetch, all of one name, and none for what there is not', async () => {
    const { get } = setUp({ ttl: 1000, maxSize: 3 }, ['z', 'y', 'z', 'x']);
    expect(await get('x', 'y', 'z', 'nowhere')).toEqual(['z1', 'y1', 'z1', 'x1']);
    expect(await get('nowhere')).toEqual([]);
  });

  it('serves the old ones while it fetches again, and fetches first when they are too old', async () => {
    const { cache, clock, get, fetches, fetchBy } = setUp();
    await get('a');
    clock.advance(999);
    expect(await get('a')).toEqual(['a1']);
    expect(fetches()).toBe(1);
    clock.advance(1);
    let answer: (managers: TestManager[]) => void = () => undefined;
    fetchBy(() => new Promise((resolve) => (answer = resolve)));
    // Nobody waits for the fetch, which is under way.
    expect(await Promise.all([get('a'), get('a', 'b')])).toEqual([['a1'], ['a1', 'b1']]);
    expect(fetches()).toBe(2);
    answer([{ name: 'a', fetch: 2, cleanup: () => Promise.resolve() }]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(await get('a')).toEqual(['a2']);
    expect(cache.metrics()).toMatchObject({ hits: 4, misses: 1 });
    clock.advance(2000);
    fetchBy(() => Promise.resolve([]));
    expect(await get('a')).toEqual([]);
    expect(cache.metrics().misses).toBe(2);
  });

  it('keeps the sets that were used last when it is full', async () => {
    const { cache, get } = setUp();
    for (const id of ['a', 'b', 'c']) await get(id);
    await get('a');
    await get('d');
    expect(cache.metrics()).toEqual({ hits: 4, misses: 1, sets: 4, evictions: 1, currentSize: 3 });
    await get('a');
    expect(cache.metrics().sets).toBe(4);
    await get('b');
    expect(cache.metrics().sets).toBe(5);
  });

  it('stays within its size whatever is asked for: 50 keys make 10 entries', async () => {
    const { cache, get } = setUp({ ttl: 60_000, maxSize: 10 });
    for (let id = 0; id < 50; id += 1) await get(String(id));
    expect(cache.metrics()).toMatchObject({ currentSize: 10, sets: 50, evictions: 40 });
  });

  it('hits for nearly all of 1,000 users with sets of sources of their own', async () => {
    const names = ['shared', 'team', ...Array.from({ length: 1000 }, (_, user) => `user-${user}`)];
    const { cache, get, fetches } = setUp({ ttl: 60_000, maxSize: 10 }, names);
    for (let round = 0; round < 2; round += 1) {
      for (let user = 0; user < 1000; user += 1) {
        expect(await get('shared', `user-${user}`)).toHaveLength(2);
      }
    }
    const { hits, misses } = cache.metrics();
    expect(hits / (hits + misses)).toBeGreaterThan(0.99);
    expect(fetches()).toBe(1);
  });

  it('does not keep a failure', async () => {
    const { cache, get, fetchBy, fetches } = setUp();
    fetchBy(() => Promise.reject(new Error('no')));
    await expect(get('a')).rejects.toThrow('no');
    fetchBy(() => {
      throw new Error('at once');
    });
    await expect(get('a')).rejects.toThrow('at once');
    fetchBy(() => Promise.resolve([]));
    expect(await get('a')).toEqual([]);
    expect(fetches()).toBe(3);
    expect(cache.metrics()).toMatchObject({ misses: 3, sets: 1 });
  });

  it('does not keep what was being fetched when it was cleared', async () => {
    const { cache, get, fetches } = setUp();
    const outdated = get('a');
    cache.clear();
    expect(await outdated).toEqual(['a1']);
    expect(cache.metrics().currentSize).toBe(0);
    expect(await get('a')).toEqual(['a2']);
    expect(fetches()).toBe(2);
  });

  it.each([
    { ttl: 0, maxSize: 10 },
    { ttl: 1000, maxSize: 0 },
  ])('keeps nothing with %j', async (config) => {
    const { cache, get } = setUp(config);
    expect([await get('a'), await get('a')]).toEqual([['a1'], ['a2']]);
    expect(cache.metrics()).toEqual({ hits: 0, misses: 2, sets: 0, evictions: 0, currentSize: 0 });
  });

  it('closes what a later fetch has not given again, once nobody uses it, if it is asked to', async () => {
    const { cache, clock, closed, fetchBy } = setUp({ ttl: 1000, maxSize: 3, closeEvicted: true }, [
      'a',
    ]);
    let end: () => void = () => undefined;
    const slow = cache.use(['a'], () => new Promise<void>((resolve) => (end = resolve)));
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(3000);
    fetchBy(() => Promise.resolve([]));
    await cache.use(['a'], () => Promise.resolve());
    expect(closed).toEqual([]);
    end();
    await slow;
    expect(closed).toEqual(['a of 1']);
  });
});
