import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { ContextFixture } from '../testing/context-fixture.js';
import { entry, lines, numbered } from '../testing/numbered-entries.js';
import type { BulkLine } from './views.js';

let database: TestDatabase;
let fixture: ContextFixture;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  fixture = new ContextFixture(database.dataSource, {
    settings: { bulkBatchRows: 10, longConnections: 2, entryTextMaxBytes: 2048 },
  });
});
afterEach(() => fixture.close());

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
