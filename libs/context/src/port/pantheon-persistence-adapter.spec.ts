import { describe, expect, it } from '@jest/globals';
import { adapterOf, contents, manager, remarks, source } from '../testing/sample-managers.js';
import { makePantheonPersistenceAdapter } from './pantheon-persistence-adapter.js';

describe('faults', () => {
  it('needs dependencies', () => {
    expect(() => makePantheonPersistenceAdapter(null as never)).toThrow(
      'Dependencies object is required for makePantheonPersistenceAdapter',
    );
    expect(() => makePantheonPersistenceAdapter({} as never)).toThrow(
      'getStoreManagers function is required in dependencies',
    );
  });

  it('rejects sources that are no array', async () => {
    await expect(adapterOf([]).compile({ sources: 'docs' as never })).rejects.toThrow(
      /^Sources must be an array$/,
    );
  });

  it('rejects managers that are no array', async () => {
    const adapter = adapterOf([], { getStoreManagers: () => Promise.resolve({} as never) });
    await expect(adapter.compile({ sources: [source('a')] })).rejects.toThrow(
      /^getStoreManagers must return an array of DualStoreManager objects$/,
    );
  });

  it.each([
    [new Error('boom'), 'Store manager retrieval failed: boom'],
    ['a text', 'Store manager retrieval failed: Unknown error'],
  ])('says why the managers cannot be had, and asks again next time (%s)', async (thrown, text) => {
    let calls = 0;
    const adapter = adapterOf([], {
      getStoreManagers: () => {
        calls += 1;
        // eslint-disable-next-line prefer-promise-reject-errors
        return calls === 1 ? Promise.reject(thrown) : Promise.resolve([]);
      },
    });
    await expect(adapter.compile({ sources: [source('a')] })).rejects.toThrow(text);
    expect(await adapter.compile({ sources: [source('a')] })).toEqual([]);
    expect(calls).toBe(2);
  });

  it('gives nothing for no sources, no managers and no match', async () => {
    const docs = await manager(
      'docs',
      remarks(3, (index) => `Text ${index}`),
    );
    expect(await adapterOf([docs]).compile({ sources: [] })).toEqual([]);
    expect(await adapterOf([docs]).compile({ sources: [source('other')] })).toEqual([]);
    const none = adapterOf([], { getStoreManagers: () => Promise.resolve(null as never) });
    expect(await none.compile({ sources: [source('docs')] })).toEqual([]);
  });

  it('ignores sources without a string id, and managers without a name', async () => {
    const docs = await manager(
      'docs',
      remarks(1, () => 'Only text'),
    );
    const adapter = adapterOf([null as never, { name: 7 } as never, docs]);
    const sources = [{ id: 5, label: 'x' }, null, { label: 'y' }, source('docs')] as never;
    expect(contents(await adapter.compile({ sources }))).toEqual(['Only text']);
  });
});

describe('the cache of managers', () => {
  it('fetches once for the same set of sources, in any order', async () => {
    let calls = 0;
    const docs = [await manager('a', []), await manager('b', [])];
    const adapter = adapterOf([], {
      getStoreManagers: () => {
        calls += 1;
        return Promise.resolve(docs);
      },
    });
    await adapter.compile({ sources: [source('a'), source('b')] });
    await adapter.compile({ sources: [source('b'), source('a'), source('a')] });
    expect(calls).toBe(1);
    expect(adapter.getCacheMetrics()).toEqual({
      hits: 1,
      misses: 1,
      sets: 1,
      evictions: 0,
      currentSize: 1,
    });
    adapter.clearCache();
    await adapter.compile({ sources: [source('a'), source('b')] });
    expect(calls).toBe(2);
  });

  it('makes no difference but in fetches, whatever is asked for', async () => {
    const all = await Promise.all(
      ['a', 'b', 'c', 'd'].map((name) =>
        manager(
          name,
          remarks(12, (index) => `${name} entry ${index} of ${index % 3}`),
        ),
      ),
    );
    let calls = 0;
    const overrides = {
      getStoreManagers: () => {
        calls += 1;
        return Promise.resolve(all);
      },
    };
    const cached = adapterOf([], overrides);
    const uncached = makePantheonPersistenceAdapter(overrides, { ttl: 0 });
    for (let question = 0; question < 60; question += 1) {
      const asked = all.filter((_, place) => (question >> place) % 2 === 1);
      const request = {
        sources: asked.map(({ name }) => source(name)),
        texts: [`entry ${question % 12} of ${question % 3}`],
        limit: 1 + (question % 20),
      };
      expect(await cached.compile(request)).toEqual(await uncached.compile(request));
    }
    const withSources = 60 - Math.ceil(60 / 16);
    expect(calls).toBe(withSources + 1);
    const { hits, misses } = cached.getCacheMetrics();
    expect([hits, misses]).toEqual([withSources - 1, 1]);
  });
});
