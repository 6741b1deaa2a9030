import { afterEach, describe, expect, it } from '@jest/globals';
import type { Cache } from './cache.js';
import { cacheOf, gatedLoad, hub, renewHub, turn } from './testing/test-hub.js';

describe('Cache', () => {
  afterEach(renewHub);

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
});
