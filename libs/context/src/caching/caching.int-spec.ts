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
import { newId, type Principal } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import type { CompileRequest } from '../services/compile.types.js';
import {
  ContextFixture,
  memoryCaches,
  principal,
  stoppedClock,
  SwitchableEmbeddings,
} from '../testing/context-fixture.js';

let database: TestDatabase;
let fixture: ContextFixture;
let clock: ReturnType<typeof stoppedClock>;
let embeddings: SwitchableEmbeddings;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

beforeEach(() => {
  clock = stoppedClock();
  embeddings = new SwitchableEmbeddings();
  fixture = new ContextFixture(database.dataSource, {
    clock,
    embeddings,
    caches: memoryCaches(clock),
  });
});
afterEach(async () => {
  await fixture.close();
  await database.dataSource.query('DELETE FROM context_source');
});

const ask = (request: CompileRequest, who = fixture.user) =>
  fixture.context.compiler.compile(who, request);
const levelOf = async (request: CompileRequest, who?: Principal): Promise<string> =>
  (await ask(request, who)).cache;
const colleague = (): Principal => principal(fixture.user.organizationId);
const statements = () => jest.spyOn(fixture.context.stores.database, 'query');

describe('a compiled context', () => {
  it('is kept for the question, whatever the order of its parts, and told as each caller asked', async () => {
    for (const name of ['a', 'b']) await fixture.source(name, [`Words of ${name}`]);
    const texts = ['x', 'y'];
    const first = await ask({ sources: [{ id: 'a' }, { id: 'b' }], texts });
    const swapped = await ask({
      sources: [{ id: 'b', label: 'B' }, { id: 'a' }, { id: 'b' }],
      texts: ['y', 'x'],
    });
    expect([first.cache, swapped.cache]).toEqual(['MISS', 'L1']);
    expect(swapped.messages).toEqual(first.messages);
    expect(swapped.etag).toBe(first.etag);
    expect(swapped.report.sources.map(({ id }) => id)).toEqual(['b', 'a']);
    expect(swapped.timings).toMatchObject({ dbMs: 0, rankMs: 0 });
  });

  it.each<[string, Partial<CompileRequest>]>([
    ['other texts', { texts: ['z'] }],
    ['another limit', { limit: 3 }],
    ['fewer recent entries', { recentLimit: 1 }],
    ['other searches', { queryLimit: 1 }],
    ['an explanation', { explain: true }],
    ['a condition', { sources: [{ id: 'a', where: { topic: 'tea' } }] }],
  ])('is another one for %s', async (_, change) => {
    await fixture.source('a', ['Words']);
    const request = { sources: [{ id: 'a' }], texts: ['x'] };
    await ask(request);
    expect(await levelOf({ ...request, ...change })).toBe('MISS');
    expect(await levelOf(request)).toBe('L1');
  });

  it('is another one when the ranking is weighed differently', async () => {
    await fixture.source('a', ['Words']);
    const request = { sources: [{ id: 'a' }] };
    await ask(request);
    fixture.settings.replaceLayers({ overrides: { context: { rankRecencyWeight: 5 } } });
    expect([await levelOf(request), await levelOf(request)]).toEqual(['MISS', 'L1']);
  });

  it('is shared by those who may read the same sources, and by nobody else', async () => {
    const { sources, entries } = fixture.context;
    await sources.create(fixture.user, { name: 'team', kind: 'document', scope: 'team' });
    await entries.add(fixture.user, 'team', { text: 'Shared words' });
    await fixture.settle();
    const request = { sources: [{ id: 'team' }] };
    await ask(request);
    expect(await levelOf(request, colleague())).toBe('L1');
    const owner = colleague();
    await sources.create(owner, { name: 'team', kind: 'document' });
    const own = await ask(request, owner);
    expect([own.cache, own.messages]).toEqual(['MISS', []]);
    fixture.access.forbidden.add('read source:team');
    await expect(ask(request)).rejects.toMatchObject({ code: 'SOURCE_FORBIDDEN' });
    await expect(ask(request, principal())).rejects.toThrow();
  });

  it('lives as long as the setting and the rules of its sources say', async () => {
    await fixture.source('a', ['Words']);
    await fixture.source('b', ['Words too']);
    const request = { sources: [{ id: 'a' }, { id: 'b' }] };
    await ask(request);
    clock.advance(50_000);
    expect(await levelOf(request)).toBe('L1');
    clock.advance(10_001);
    expect(await levelOf(request)).toBe('MISS');
    await fixture.context.sources.update(fixture.user, 'b', { cacheRule: { ttlMs: 5000 } });
    await ask(request);
    clock.advance(5001);
    expect(await levelOf(request)).toBe('MISS');
  });

  it('notes what it gave also when it was kept', async () => {
    await fixture.source('a', ['Words']);
    for (let time = 0; time < 5; time += 1) await ask({ sources: [{ id: 'a' }] });
    await fixture.settle();
    const { items } = await fixture.context.entries.page(fixture.user, 'a', { limit: 1 });
    expect(items[0]?.accessCount).toBe(5);
  });

  it('is not kept when the embedding service did not answer', async () => {
    await fixture.source('a', ['Words']);
    const request = { sources: [{ id: 'a' }], texts: ['words'] };
    embeddings.failure = new Error('away');
    expect([await levelOf(request), await levelOf(request)]).toEqual(['MISS', 'MISS']);
    embeddings.failure = undefined;
    expect([await levelOf(request), await levelOf(request)]).toEqual(['MISS', 'L1']);
  });

  it('stands in while no source can be read, but not after a change', async () => {
    await fixture.source('a', ['Words']);
    const request = { sources: [{ id: 'a' }] };
    const { messages } = await ask(request);
    clock.advance(61_000);
    const query = statements().mockRejectedValue(new Error('gone'));
    const stale = await ask(request);
    expect([stale.cache, stale.messages]).toEqual(['STALE', messages]);
    query.mockRestore();
    clock.advance(2000);
    await fixture.context.entries.add(fixture.user, 'a', { text: 'More words' });
    const broken = statements().mockRejectedValue(new Error('gone'));
    await expect(ask(request)).rejects.toMatchObject({ code: 'CONTEXT_UNAVAILABLE' });
    broken.mockRestore();
    expect((await ask(request)).messages).toHaveLength(2);
  });

  it('is compiled once for callers at the same time', async () => {
    await fixture.source('a', ['Words']);
    await ask({ sources: [{ id: 'a' }] });
    const query = statements();
    await Promise.all(
      Array.from({ length: 50 }, () => ask({ sources: [{ id: 'a' }], texts: ['words'] })),
    );
    expect(query.mock.calls.length).toBeLessThanOrEqual(4);
    query.mockRestore();
  });
});

describe('the sources behind store managers', () => {
  it('are read together, and then known to all who have some of them', async () => {
    for (const name of ['a', 'b', 'c']) {
      await fixture.context.sources.create(fixture.user, {
        name,
        kind: 'document',
        scope: 'organization',
      });
    }
    const { sourceCache } = fixture.context;
    await sourceCache.find(fixture.user, ['a', 'b', 'c']);
    expect(sourceCache.metrics()).toMatchObject({ hits: 0, misses: 3, fetches: 1 });
    for (let user = 0; user < 1000; user += 1) {
      const names = ['a', 'b', 'c'].filter((_, place) => ((user % 7) + 1) & (1 << place));
      const found = await sourceCache.find(colleague(), names);
      expect(found.map((source) => source?.name)).toEqual(names);
    }
    const { hits, misses, fetches } = sourceCache.metrics();
    expect(hits / (hits + misses)).toBeGreaterThan(0.99);
    expect(fetches).toBe(1);
  });

  it('are told apart by who owns them, however many have the same name', async () => {
    const { sources, sourceCache } = fixture.context;
    const owners = Array.from({ length: 120 }, colleague);
    const idOf = new Map<string, string>();
    for (const owner of owners) {
      const { id } = await sources.create(owner, { name: 'notes', kind: 'document' });
      idOf.set(owner.userId, id);
    }
    const stranger = colleague();
    for (let round = 0; round < 2; round += 1) {
      for (const owner of owners) {
        const [found] = await sourceCache.find(owner, ['notes']);
        expect(found?.id).toBe(idOf.get(owner.userId));
      }
      expect(await sourceCache.find(stranger, ['notes'])).toEqual([undefined]);
    }
    const shared = await sources.create(fixture.user, {
      name: 'notes',
      kind: 'document',
      scope: 'team',
    });
    const [first = stranger] = owners;
    expect((await sourceCache.find(stranger, ['notes']))[0]?.id).toBe(shared.id);
    expect((await sourceCache.find(first, ['notes']))[0]?.id).toBe(idOf.get(first.userId));
    await sources.delete(first, 'notes');
    expect((await sourceCache.find(first, ['notes']))[0]?.id).toBe(shared.id);
  });

  it('are served while they are read again, and nobody waits', async () => {
    await fixture.source('a');
    const { sourceCache, stores } = fixture.context;
    await sourceCache.find(fixture.user, ['a']);
    clock.advance(61_000);
    let answer: (rows: unknown[]) => void = () => undefined;
    const query = jest
      .spyOn(stores.database, 'query')
      .mockImplementation(() => new Promise((resolve) => (answer = resolve as typeof answer)));
    expect((await sourceCache.find(fixture.user, ['a']))[0]?.name).toBe('a');
    await new Promise((resolve) => setImmediate(resolve));
    expect(query).toHaveBeenCalledTimes(1);
    answer([]);
    query.mockRestore();
    await new Promise((resolve) => setImmediate(resolve));
    expect(await sourceCache.find(fixture.user, ['a'])).toEqual([undefined]);
  });

  it('do not outlive a rename that comes while they are read', async () => {
    await fixture.source('a');
    const { sourceCache, sources } = fixture.context;
    for (let round = 0; round < 10; round += 1) {
      const [from, to] = round % 2 === 0 ? (['a', 'b'] as const) : (['b', 'a'] as const);
      const reading = sourceCache.find(fixture.user, ['a', 'b']);
      await sources.update(fixture.user, from, { name: to });
      await reading;
      const [a, b] = await sourceCache.find(fixture.user, ['a', 'b']);
      expect([a?.name, b?.name].filter(Boolean)).toEqual([to]);
    }
  });

  it('are none for an organization that there is not', async () => {
    const nobody = { ...principal(), organizationId: newId() };
    expect(await fixture.context.sourceCache.find(nobody, ['a'])).toEqual([undefined]);
  });
});
