import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture, principal } from '../testing/context-fixture.js';
import { lines, numbered } from '../testing/numbered-entries.js';
import { rowsOf } from '../testing/rows-of.js';
import type { EntryView } from './views.js';

let database: TestDatabase;
let fixture: ContextFixture;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  fixture = new ContextFixture(database.dataSource, {
    settings: { bulkBatchRows: 10, streamBatchRows: 10, longConnections: 2 },
  });
});
afterEach(() => fixture.close());

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
