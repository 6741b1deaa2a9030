import { afterEach, describe, expect, it } from '@jest/globals';
import { createContext, currentContext, runWithContext } from '#libs/logging';
import { CacheLoadTimeoutError } from '../errors/cache-load-timeout.error.js';
import { cacheOf, clock, gatedLoad, renewHub, turn } from './testing/test-hub.js';

describe('Cache', () => {
  afterEach(renewHub);

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
});
