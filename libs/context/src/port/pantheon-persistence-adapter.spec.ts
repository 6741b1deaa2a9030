import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { contextWarnings, type ContextWarning } from '../events.js';
import { InMemoryDualStoreManager } from '../testing/in-memory-dual-store-manager.js';
import type { ContextSource } from './context-port.js';
import type { DualStoreManager } from './dual-store-manager.js';
import {
  makePantheonPersistenceAdapter,
  type PantheonPersistenceDependencies,
} from './pantheon-persistence-adapter.js';
import type { NewEntry } from './store-entry.js';

const clock = new ManualClock(Date.UTC(2026, 4, 1, 12));
const minute = (count: number): Date => new Date(clock.nowMs() - (1000 - count) * 60_000);
const source = (id: string, where?: Record<string, unknown>): ContextSource =>
  where === undefined ? { id, label: id } : { id, label: id, where };

async function manager(name: string, entries: readonly NewEntry[]): Promise<DualStoreManager> {
  const made = new InMemoryDualStoreManager({ name, clock });
  for (const entry of entries) await made.insert(entry);
  made.settle();
  return made;
}

function numbered(count: number, text: (index: number) => string): NewEntry[] {
  return Array.from({ length: count }, (_, index) => ({
    text: text(index),
    role: 'assistant' as const,
    occurredAt: minute(index),
  }));
}

function adapterOf(
  managers: readonly DualStoreManager[],
  more: Partial<PantheonPersistenceDependencies> = {},
) {
  return makePantheonPersistenceAdapter({
    getStoreManagers: () => Promise.resolve([...managers]),
    ...more,
  });
}

const contents = (messages: readonly { content: string }[]): string[] =>
  messages.map(({ content }) => content);

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
      numbered(3, (index) => `Text ${index}`),
    );
    expect(await adapterOf([docs]).compile({ sources: [] })).toEqual([]);
    expect(await adapterOf([docs]).compile({ sources: [source('other')] })).toEqual([]);
    const none = adapterOf([], { getStoreManagers: () => Promise.resolve(null as never) });
    expect(await none.compile({ sources: [source('docs')] })).toEqual([]);
  });

  it('ignores sources without a string id, and managers without a name', async () => {
    const docs = await manager(
      'docs',
      numbered(1, () => 'Only text'),
    );
    const adapter = adapterOf([null as never, { name: 7 } as never, docs]);
    const sources = [{ id: 5, label: 'x' }, null, { label: 'y' }, source('docs')] as never;
    expect(contents(await adapter.compile({ sources }))).toEqual(['Only text']);
  });
});

describe('compile', () => {
  it('keeps the caller’s question among the texts when there are many recent entries', async () => {
    const asked: (readonly string[])[] = [];
    const docs = await manager(
      'docs',
      numbered(20, (index) => `Remark ${index}`),
    );
    const find = docs.getMostRelevant.bind(docs);
    docs.getMostRelevant = (texts, limit, where) => {
      asked.push(texts);
      return find(texts, limit, where);
    };
    const texts = ['What of zebras?'];
    await adapterOf([docs]).compile({ sources: [source('docs')], texts });
    await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['1', '2', '3', '4', '5', '6'],
    });
    expect(asked[0]).toEqual([
      'What of zebras?',
      'Remark 19',
      'Remark 18',
      'Remark 17',
      'Remark 16',
    ]);
    expect(asked[1]).toEqual(['1', '2', '3', '4', '5', '6']);
  });

  it('finds what fits the question among what is long past', async () => {
    const docs = await manager('docs', [
      { text: 'Zebras are striped', role: 'assistant', occurredAt: minute(-90_000) },
      ...numbered(200, (index) => `Remark ${index}`),
    ]);
    const messages = await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['Tell me of zebras'],
    });
    expect(contents(messages)[0]).toBe('Zebras are striped');
  });

  it.each([0, 1, 7, 20])('gives exactly as many messages as asked for: %d', async (limit) => {
    const managers = [
      await manager(
        'a',
        numbered(40, (index) => `Apple ${index}`),
      ),
      await manager(
        'b',
        numbered(40, (index) => `Pear ${index}`),
      ),
      await manager(
        'c',
        numbered(40, (index) => `Plum ${index}`),
      ),
    ];
    const messages = await adapterOf(managers).compile({
      sources: ['a', 'b', 'c'].map((id) => source(id)),
      texts: ['apple pear plum'],
      limit,
    });
    expect(messages).toHaveLength(limit);
  });

  it('has 20 messages, 10 recent entries and 5 texts by default', async () => {
    const limits: unknown[] = [];
    const docs = await manager(
      'docs',
      numbered(100, (index) => `Apple ${index}`),
    );
    const recent = docs.getMostRecent.bind(docs);
    docs.getMostRecent = (limit, filter) => {
      limits.push(limit);
      return recent(limit, filter);
    };
    const messages = await adapterOf([docs]).compile({
      sources: [source('docs')],
      texts: ['apple'],
    });
    expect(limits).toEqual([10]);
    expect(messages).toHaveLength(20);
  });

  it('puts the messages in the order of time, whatever their source', async () => {
    const a = await manager('a', [
      { text: 'one', role: 'assistant', occurredAt: minute(1) },
      { text: 'three', role: 'assistant', occurredAt: minute(3) },
    ]);
    const b = await manager('b', [{ text: 'two', role: 'assistant', occurredAt: minute(2) }]);
    const messages = await adapterOf([b, a]).compile({ sources: [source('a'), source('b')] });
    expect(contents(messages)).toEqual(['one', 'two', 'three']);
  });

  it('honours the conditions of each source in everything it reads', async () => {
    const entries = Array.from({ length: 30 }, (_, index) => ({
      text: `Apple ${index}`,
      role: 'assistant' as const,
      metadata: { even: index % 2 === 0 },
    }));
    const messages = await adapterOf([await manager('a', entries)]).compile({
      sources: [source('a', { even: true })],
      texts: ['apple'],
    });
    expect(messages).toHaveLength(15);
    for (const content of contents(messages)) expect(Number(content.slice(6)) % 2).toBe(0);
  });

  it('says a text once, and drops entries without text or metadata', async () => {
    const a = await manager('a', [
      { text: 'Same', role: 'assistant', occurredAt: minute(1) },
      { text: 'Same', role: 'assistant', occurredAt: minute(2) },
    ]);
    const odd = await manager('odd', []);
    const entry = { id: 'x', occurredAt: minute(3), metadata: {} };
    odd.getMostRecent = () =>
      Promise.resolve([
        { ...entry, text: null },
        { ...entry, id: 'y', text: 'No metadata', metadata: null },
        { ...entry, id: 'z', text: '' },
      ]);
    const messages = await adapterOf([a, odd]).compile({ sources: [source('a'), source('odd')] });
    expect(contents(messages)).toEqual(['Same']);
  });

  it('takes a source that fails for empty, with a warning', async () => {
    const good = await manager(
      'good',
      numbered(1, () => 'Still here'),
    );
    const bad = await manager('bad', []);
    bad.getMostRecent = () => Promise.reject(new Error('broken'));
    const warnings: ContextWarning[] = [];
    const stop = contextWarnings.subscribe((warning) => warnings.push(warning));
    const messages = await adapterOf([bad, good]).compile({
      sources: [source('good'), source('bad')],
    });
    stop();
    expect(contents(messages)).toEqual(['Still here']);
    expect(warnings).toEqual([
      {
        code: 'CONTEXT_SOURCE_FAILED',
        message: 'Source "bad" could not be read and counts as empty: broken',
        error: new Error('broken'),
      },
    ]);
  });

  it('tells entries with the given resolvers', async () => {
    const a = await manager('a', [{ text: 'Hi', metadata: { by: 'Zoe' }, occurredAt: minute(1) }]);
    const adapter = adapterOf([a], {
      resolveRole: () => 'user',
      resolveName: (metadata) => String(metadata['by']),
      formatTime: (epochMs) => `t${epochMs}`,
    });
    expect(await adapter.compile({ sources: [source('a')] })).toEqual([
      { role: 'user', content: `Zoe said (t${minute(1).getTime()}): Hi` },
    ]);
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
          numbered(12, (index) => `${name} entry ${index} of ${index % 3}`),
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
