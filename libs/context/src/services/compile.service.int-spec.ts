import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { compileContext } from '../port/compile-pipeline.js';
import { DEFAULT_WEIGHTS } from '../ranking/score.js';
import { PostgresDualStoreManager } from '../store/postgres-dual-store-manager.js';
import { ContextFixture, principal, stoppedClock } from '../testing/context-fixture.js';
import type { CompileRequest } from './compile.types.js';

let database: TestDatabase;
let fixture: ContextFixture;
let clock: ReturnType<typeof stoppedClock>;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  clock = stoppedClock();
  fixture = new ContextFixture(database.dataSource, { clock });
});
afterEach(() => fixture.close());

const compile = (request: CompileRequest, who = fixture.user) =>
  fixture.context.compiler.compile(who, request);

const minutesAgo = (minutes: number): Date => new Date(clock.nowMs() - minutes * 60_000);
const remarks = (count: number, about: string) =>
  Array.from({ length: count }, (_, index) => ({
    text: `${about} remark number ${index}`,
    role: 'assistant' as const,
    occurredAt: minutesAgo(count - index),
  }));

describe('a compile', () => {
  it('reads all sources with one query for the recents, one for candidates and one for texts', async () => {
    for (const name of ['a', 'b', 'c']) await fixture.source(name, remarks(30, name));
    const request = { sources: [{ id: 'a' }, { id: 'b' }, { id: 'c' }], texts: ['number'] };
    await compile(request);
    const query = jest.spyOn(fixture.context.stores.database, 'query');
    const { report } = await compile(request);
    expect(query).toHaveBeenCalledTimes(3);
    expect(report.sources.map(({ id, recent, status }) => [id, recent, status])).toEqual([
      ['a', 10, 'ok'],
      ['b', 10, 'ok'],
      ['c', 10, 'ok'],
    ]);
    query.mockRestore();
  });

  it('gives the same whether sources are read together or one by one', async () => {
    for (const name of ['a', 'b']) await fixture.source(name, remarks(40, name));
    const managers = await Promise.all(
      ['a', 'b'].map(async (name) => {
        const source = await fixture.context.sources.get(fixture.user, name);
        return new PostgresDualStoreManager(name, source, fixture.context.stores);
      }),
    );
    const environment = {
      weights: DEFAULT_WEIGHTS,
      nowMs: () => clock.nowMs(),
      monotonicMs: () => 0,
      onSourceFailure: () => undefined,
    };
    const texts = ['remark number 3', 'number 17'];
    const run = (alone: boolean) =>
      compileContext(
        managers.map((manager) => ({
          manager: alone ? withoutReader(manager) : manager,
          where: undefined,
        })),
        // Only the caller's texts: a manager by itself cannot tell echoes from questions.
        { texts, queryLimit: 2, recentLimit: 5, limit: 12 },
        environment,
      );
    const together = await run(false);
    expect(together.messages).toHaveLength(12);
    expect((await run(true)).messages).toEqual(together.messages);
  });

  it('finds what fits the question among thousands of entries', async () => {
    await fixture.source('a', [
      { text: 'Okapis are related to giraffes', occurredAt: minutesAgo(1e6) },
    ]);
    await fixture.context.entries.bulkInsert(
      fixture.user,
      'a',
      (async function* lines() {
        for (let line = 1; line <= 3000; line += 1) {
          yield { line, entry: { text: `Filler ${line} about nothing in particular` } };
        }
      })(),
    );
    await fixture.settle();
    const { messages } = await compile({ sources: [{ id: 'a' }], texts: ['What is an okapi?'] });
    expect(messages.map(({ content }) => content).join()).toContain('Okapis');
    expect(messages.length).toBeLessThanOrEqual(20);
  });

  it('explains each message by terms that add up', async () => {
    await fixture.source('a', [
      { text: 'Pinned and flagged', pinned: true, importance: true, rating: 2 },
      { text: 'Plain words' },
    ]);
    const { messages, report } = await compile({
      sources: [{ id: 'a' }],
      texts: ['plain'],
      explain: true,
    });
    expect(report.explain).toHaveLength(messages.length);
    for (const { score, terms, source } of report.explain ?? []) {
      expect(source).toBe('a');
      expect(score).toBeCloseTo(
        terms.text + terms.recency + terms.frequency + terms.importance + terms.context,
        10,
      );
    }
    expect(report.explain?.map(({ terms }) => terms.importance).sort()).toEqual([0, 9.5]);
    expect((await compile({ sources: [{ id: 'a' }] })).report).not.toHaveProperty('explain');
  });

  it('notes what it gave, and ranks what is often given higher for an hour', async () => {
    await fixture.source('a', ['First words', 'Second words']);
    const frequencies = async (): Promise<number[]> => {
      const { report } = await compile({ sources: [{ id: 'a' }], explain: true });
      await fixture.settle();
      return (report.explain ?? []).map(({ terms }) => terms.frequency);
    };
    expect(await frequencies()).toEqual([0, 0]);
    clock.advance(1000);
    const twice = 2 * Math.log(2);
    expect(await frequencies()).toEqual([twice, twice]);
    const { items } = await fixture.context.entries.page(fixture.user, 'a', { limit: 2 });
    expect(items.map(({ accessCount }) => accessCount)).toEqual([2, 2]);
    expect(items[0]?.lastAccessedAt).toEqual(clock.now());
    clock.advance(3_600_001);
    expect(await frequencies()).toEqual([0, 0]);
  });

  it('leaves out what is past the retention of its source, or archived', async () => {
    const source = await fixture.source('a', [
      { text: 'Old okapi', occurredAt: minutesAgo(3 * 1440) },
      { text: 'Archived okapi', occurredAt: minutesAgo(5) },
      { text: 'Fresh okapi', occurredAt: minutesAgo(5) },
    ]);
    await fixture.context.sources.update(fixture.user, 'a', { retentionDays: 2 });
    await database.dataSource.query(
      `UPDATE context_entry SET lifecycle = 'archived' WHERE source_id = $1 AND text LIKE 'Arch%'`,
      [source.id],
    );
    const { messages, report } = await compile({ sources: [{ id: 'a' }], texts: ['okapi'] });
    expect(messages.map(({ content }) => content)).toEqual([expect.stringContaining('Fresh')]);
    expect(report.sources).toMatchObject([{ recent: 1, relevant: 1, used: 1 }]);
  });

  it('says when no source can be read at all', async () => {
    await fixture.source('a', ['x']);
    await compile({ sources: [{ id: 'a' }] });
    const query = jest
      .spyOn(fixture.context.stores.database, 'query')
      .mockRejectedValue(new Error('gone'));
    await expect(compile({ sources: [{ id: 'a' }] })).rejects.toMatchObject({
      code: 'CONTEXT_UNAVAILABLE',
      kind: 'unavailable',
    });
    query.mockRestore();
  });

  it('refuses more than the settings allow', async () => {
    const sources = Array.from({ length: 51 }, (_, index) => ({ id: `s${index}` }));
    await expect(compile({ sources })).rejects.toMatchObject({ code: 'CONTEXT_LIMIT' });
    await expect(compile({ sources: [], limit: 201 })).rejects.toMatchObject({
      code: 'CONTEXT_LIMIT',
      faults: [expect.objectContaining({ path: 'limit' })],
    });
  });
});

describe('the sources of a compile', () => {
  it('are each allowed by a grant, or the compile is refused', async () => {
    await fixture.source('open');
    await fixture.source('closed');
    fixture.access.forbidden.add('read source:closed');
    const sources = [{ id: 'open' }, { id: 'closed' }];
    await expect(compile({ sources })).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    fixture.access.forbidden.clear();
    expect((await compile({ sources })).report.sources).toHaveLength(2);
    // Kept managers do not outlive the permission.
    fixture.access.forbidden.add('read source:closed');
    await expect(compile({ sources })).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
  });

  it('that are missing and those of others cannot be told apart', async () => {
    await fixture.source('mine', ['x']);
    const errors = await Promise.all(
      [
        compile({ sources: [{ id: 'none' }] }),
        compile({ sources: [{ id: 'mine' }] }, principal()),
        compile({ sources: [{ id: 'mine' }] }, principal(fixture.user.organizationId)),
      ].map((attempt) => attempt.catch((error: unknown) => error)),
    );
    for (const error of errors) {
      expect(error).toMatchObject({ code: 'SOURCE_NOT_FOUND', kind: 'not-found' });
    }
  });

  it('are the caller’s own before shared ones of the same name', async () => {
    const sibling = principal(fixture.user.organizationId);
    const { sources, entries } = fixture.context;
    await sources.create(sibling, { name: 'notes', kind: 'document', scope: 'organization' });
    await entries.add(sibling, 'notes', { text: 'Shared words' });
    const words = async (): Promise<string[]> =>
      (await compile({ sources: [{ id: 'notes' }] })).messages.map(({ content }) => content);
    expect(await words()).toEqual([expect.stringContaining('Shared')]);
    await sources.create(fixture.user, { name: 'notes', kind: 'document' });
    await entries.add(fixture.user, 'notes', { text: 'Own words' });
    expect(await words()).toEqual([expect.stringContaining('Own')]);
  });

  it('are resolved once for a while, and anew when one changes', async () => {
    await fixture.source('a');
    const ask = () => compile({ sources: [{ id: 'a' }] });
    await ask();
    await ask();
    const { sourceCache, sources } = fixture.context;
    expect(sourceCache.metrics()).toMatchObject({ hits: 1, misses: 1, currentSize: 1 });
    await sources.update(fixture.user, 'a', { name: 'b' });
    await expect(ask()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(sourceCache.metrics()).toMatchObject({ hits: 1, misses: 2 });
    // That there is none of this name is known now, too.
    await expect(ask()).rejects.toMatchObject({ code: 'SOURCE_NOT_FOUND' });
    expect(sourceCache.metrics()).toMatchObject({ hits: 2, misses: 2, currentSize: 1 });
    await sources.update(fixture.user, 'b', { name: 'a' });
    expect((await ask()).report.sources).toHaveLength(1);
  });
});

/** The same manager as one that knows nothing of the others. */
function withoutReader(manager: PostgresDualStoreManager): PostgresDualStoreManager {
  return new Proxy(manager, {
    get(target, key) {
      if (key === 'batchReader') return undefined;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
