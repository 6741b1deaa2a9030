import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture, principal } from '../testing/context-fixture.js';
import { rowsOf } from '../testing/rows-of.js';
import type { BulkLine, EntryView } from './views.js';

let database: TestDatabase;
let fixture: ContextFixture;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  fixture = new ContextFixture(database.dataSource, {
    settings: {
      bulkBatchRows: 10,
      streamBatchRows: 10,
      longConnections: 2,
      entryTextMaxBytes: 2048,
    },
  });
});
afterEach(() => fixture.close());

async function* lines(entries: readonly unknown[]): AsyncGenerator<BulkLine> {
  for (const [index, entry] of entries.entries()) yield { line: index + 1, entry };
}

interface KeyedEntry {
  text: string;
  externalKey: string;
}

const entry = (index: number, text = `Entry ${index}`): KeyedEntry => ({
  text,
  externalKey: `k${index}`,
});

const numbered = (count: number): KeyedEntry[] =>
  Array.from({ length: count }, (_, index) => entry(index));

describe('bulk writes', () => {
  const bulk = (entries: readonly unknown[], onError?: 'skip' | 'abort') =>
    fixture.context.entries.bulkInsert(
      fixture.user,
      'docs',
      lines(entries),
      onError === undefined ? {} : { onError },
    );

  it('store every good line and list the others', async () => {
    await fixture.source('docs');
    const entries: unknown[] = numbered(35);
    entries[3] = { text: 7 };
    entries[20] = entry(20, 'x'.repeat(2049));
    entries[21] = entry(21, 'NUL \0');
    entries[22] = 'no object';
    expect(await bulk(entries)).toEqual({
      inserted: 31,
      updated: 0,
      unchanged: 0,
      rejected: [
        { line: 4, code: 'VALIDATION_FAILED', detail: expect.stringContaining('text') },
        { line: 21, code: 'ENTRY_TOO_LARGE', detail: expect.stringContaining('2048') },
        { line: 22, code: 'VALIDATION_FAILED', detail: expect.stringContaining('NUL') },
        { line: 23, code: 'VALIDATION_FAILED', detail: expect.any(String) },
      ],
      rejectedCount: 4,
      aborted: false,
    });
    const report = await fixture.context.entries.consistency(fixture.user, 'docs');
    expect(report).toMatchObject({ total: 31, written: 31 });
  });

  it('store all lines or none when asked to', async () => {
    await fixture.source('docs');
    const entries: unknown[] = numbered(35);
    expect(await bulk(entries, 'abort')).toMatchObject({ inserted: 35, aborted: false });
    const bad = [...numbered(60), { text: '' }];
    expect(await bulk(bad, 'abort')).toMatchObject({
      inserted: 0,
      updated: 0,
      rejected: [{ line: 61 }],
      aborted: true,
    });
    expect((await fixture.context.entries.consistency(fixture.user, 'docs')).total).toBe(35);
  });

  it('double nothing when repeated, and update what has changed', async () => {
    await fixture.source('docs');
    await bulk(numbered(35));
    expect(await bulk(numbered(35))).toMatchObject({ inserted: 0, updated: 0, unchanged: 35 });
    const changed = numbered(40);
    changed[5] = entry(5, 'Zebra');
    expect(await bulk(changed)).toMatchObject({ inserted: 5, updated: 1, unchanged: 34 });
    const { messages } = await fixture.context.compiler.compile(fixture.user, {
      sources: [{ id: 'docs' }],
      texts: ['zebra'],
      recentLimit: 0,
    });
    expect(messages).toHaveLength(1);
  });

  it('let the last of several lines with the same key win', async () => {
    await fixture.source('docs');
    const entries = Array.from({ length: 95 }, (_, index) => ({
      text: `Version ${index}`,
      externalKey: `k${index % 3}`,
    }));
    await bulk(entries);
    const { items } = await fixture.context.entries.page(fixture.user, 'docs', {
      limit: 10,
      fields: ['text'],
    });
    expect(items.map(({ text }) => String(text)).sort()).toEqual([
      'Version 92',
      'Version 93',
      'Version 94',
    ]);
  });

  it('by several writers of the same keys at once end well', async () => {
    await fixture.source('docs');
    const shuffled = (seed: number): unknown[] =>
      Array.from({ length: 100 }, (_, place) => {
        const index = (place * seed) % 100;
        return entry(index, `Entry ${index} by ${seed}`);
      });
    const reports = await Promise.all([3, 7, 11, 13].map((seed) => bulk(shuffled(seed))));
    expect(reports.reduce((sum, { inserted }) => sum + inserted, 0)).toBe(100);
    expect(await fixture.context.entries.consistency(fixture.user, 'docs')).toMatchObject({
      total: 100,
      written: 100,
    });
  });

  it('read no further ahead than a few batches', async () => {
    await fixture.source('docs');
    let read = 0;
    let stored = 0;
    let widest = 0;
    async function* slowly(): AsyncGenerator<BulkLine> {
      for (const [index, entry] of numbered(300).entries()) {
        read += 1;
        widest = Math.max(widest, read - stored);
        yield { line: index + 1, entry };
      }
    }
    await fixture.context.entries.bulkInsert(fixture.user, 'docs', slowly(), {
      onProgress: () => {
        stored += 10;
      },
    });
    expect(stored).toBe(300);
    expect(widest).toBeLessThanOrEqual(41);
  });

  it('end when the signal aborts, keeping what is stored', async () => {
    await fixture.source('docs');
    const stop = new AbortController();
    const report = fixture.context.entries.bulkInsert(fixture.user, 'docs', lines(numbered(300)), {
      signal: stop.signal,
      onProgress: () => stop.abort(new Error('enough')),
    });
    await expect(report).rejects.toThrow('enough');
    const { total } = await fixture.context.entries.consistency(fixture.user, 'docs');
    expect(total).toBeGreaterThanOrEqual(10);
    expect(total).toBeLessThan(300);
  });

  it('fail when their source is deleted meanwhile', async () => {
    await fixture.source('docs');
    async function* deleting(): AsyncGenerator<BulkLine> {
      yield* lines(numbered(15));
      await fixture.context.sources.delete(fixture.user, 'docs');
      yield* lines(numbered(30).slice(15));
    }
    await expect(
      fixture.context.entries.bulkInsert(fixture.user, 'docs', deleting()),
    ).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
  });
});

describe('pages', () => {
  it('show every entry once, by time, ties included, in both directions', async () => {
    const time = new Date('2026-05-01T12:00:00Z');
    await fixture.source(
      'docs',
      Array.from({ length: 23 }, (_, index) => ({
        text: `Entry ${index}`,
        occurredAt: new Date(time.getTime() + (index % 4) * 1000),
      })),
    );
    for (const sort of ['newest', 'oldest'] as const) {
      const seen: EntryView[] = [];
      let cursor: string | undefined;
      do {
        const page = await fixture.context.entries.page(fixture.user, 'docs', {
          limit: 5,
          sort,
          ...(cursor === undefined ? {} : { cursor }),
        });
        seen.push(...page.items);
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      expect(new Set(seen.map(({ id }) => id)).size).toBe(23);
      const times = seen.map(({ occurredAt }) => occurredAt.getTime());
      const sorted = [...times].sort((a, b) => (sort === 'newest' ? b - a : a - b));
      expect(times).toEqual(sorted);
    }
  });

  it('have large fields only when asked for', async () => {
    await fixture.source('docs', [{ text: 'Body', metadata: { a: 1 } }]);
    const read = async (fields?: readonly ('text' | 'metadata')[]) =>
      (await fixture.context.entries.page(fixture.user, 'docs', { limit: 1, fields })).items[0];
    expect(await read()).not.toHaveProperty('text');
    expect(await read()).not.toHaveProperty('metadata');
    expect(await read(['metadata'])).toMatchObject({ metadata: { a: 1 } });
    expect(await read(['text', 'metadata'])).toMatchObject({ text: 'Body', metadata: { a: 1 } });
  });

  it('refuse a cursor that is none', async () => {
    await fixture.source('docs');
    const page = fixture.context.entries.page(fixture.user, 'docs', { limit: 1, cursor: 'x' });
    await expect(page).rejects.toMatchObject({ code: 'CURSOR_INVALID' });
  });
});

describe('streams', () => {
  const open = (signal?: AbortSignal) =>
    fixture.context.entries.stream(fixture.user, 'docs', signal === undefined ? {} : { signal });

  async function fill(): Promise<void> {
    await fixture.source('docs');
    await fixture.context.entries.bulkInsert(fixture.user, 'docs', lines(numbered(100)));
  }

  async function openCursors(): Promise<number> {
    const rows = await database.dataSource.query<{ pid: number }[]>(
      `SELECT pid FROM pg_stat_activity WHERE datname = current_database()
       AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    return rows.length;
  }

  it('give every entry once, the oldest first', async () => {
    await fill();
    const entries = await rowsOf(await open());
    expect(new Set(entries.map(({ id }) => id)).size).toBe(100);
    expect(await openCursors()).toBe(0);
  });

  it('free their connection when the reader stops', async () => {
    await fill();
    for await (const entry of await open()) {
      expect(entry.id).toBeDefined();
      break;
    }
    expect(await openCursors()).toBe(0);
    expect(await rowsOf(await open())).toHaveLength(100);
  });

  it('end and free their connection when the signal aborts, before and while they are read', async () => {
    await fill();
    const stop = new AbortController();
    const unread = await open(stop.signal);
    const half = await open(stop.signal);
    const iterator = half[Symbol.asyncIterator]();
    await iterator.next();
    stop.abort();
    expect((await iterator.next()).done).toBe(true);
    expect(await rowsOf(unread)).toEqual([]);
    expect(await openCursors()).toBe(0);
    expect(await rowsOf(await open(AbortSignal.abort()))).toEqual([]);
  });

  it('are refused when too many are open, and taken again afterwards', async () => {
    await fill();
    const stop = new AbortController();
    const open2 = await Promise.all([open(stop.signal), open(stop.signal)]);
    await expect(open()).rejects.toMatchObject({ code: 'CONTEXT_BUSY', kind: 'unavailable' });
    stop.abort();
    await Promise.all(open2.map((stream) => rowsOf(stream)));
    expect(await rowsOf(await open())).toHaveLength(100);
  });

  it('fail with what the database says', async () => {
    await fill();
    const stream = await open();
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    await database.dataSource.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE datname = current_database() AND state <> 'idle' AND pid <> pg_backend_pid()`,
    );
    await expect(rowsOf({ [Symbol.asyncIterator]: () => iterator })).rejects.toThrow();
    expect(await rowsOf(await open())).toHaveLength(100);
  });
});

describe('pruning', () => {
  it('deletes what is not wanted any more, and nothing without a key', async () => {
    await fixture.source('docs', ['No key']);
    await fixture.context.entries.bulkInsert(fixture.user, 'docs', lines(numbered(45)));
    const isWanted = (key: string): boolean => Number(key.slice(1)) >= 30;
    expect(await fixture.context.entries.prune(fixture.user, 'docs', isWanted)).toBe(30);
    const { total } = await fixture.context.entries.consistency(fixture.user, 'docs');
    expect(total).toBe(16);
  });
});

describe('entries of others', () => {
  it('cannot be reached by any method', async () => {
    const source = await fixture.source('docs', ['Secret']);
    const { entries } = fixture.context;
    const sibling = principal(fixture.user.organizationId);
    for (const stranger of [sibling, principal()]) {
      for (const name of ['docs', source.id]) {
        const attempts = [
          () => entries.add(stranger, name, { text: 'x' }),
          () => entries.page(stranger, name, { limit: 1 }),
          () => entries.stream(stranger, name, {}),
          () => entries.bulkInsert(stranger, name, lines(numbered(1))),
          () => entries.prune(stranger, name, () => false),
          () => entries.consistency(stranger, name),
          () => entries.repair(stranger, name),
          () => entries.get(stranger, name, source.id),
        ];
        for (const attempt of attempts) {
          await expect(attempt()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
        }
      }
    }
  });

  it('are told apart by source even for who may see both', async () => {
    await fixture.source('one', ['In one']);
    await fixture.source('two', ['In two']);
    const [entry] = (await fixture.context.entries.page(fixture.user, 'one', { limit: 1 })).items;
    await expect(
      fixture.context.entries.get(fixture.user, 'two', entry?.id ?? ''),
    ).rejects.toMatchObject({ code: 'ENTRY_NOT_FOUND' });
  });
});
