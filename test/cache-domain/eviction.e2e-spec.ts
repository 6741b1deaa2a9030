import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContextClient, contextClient, ndjson } from '../context/context-fixtures.js';
import type { TestAnswer } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';
import { BACKPLANES, type Instances, startInstances } from './instances.js';

let instances: Instances;
/** The same user on two instances. */
let onA: ContextClient;
let onB: ContextClient;
let sources = 0;

const contentsOf = ({ body }: TestAnswer): string =>
  (body.messages as { content: string }[]).map(({ content }) => content).join('\n');
const cacheOf = ({ headers }: TestAnswer): string | null => headers.get('x-cache');

/** A source with an entry, whose compiled context both instances have in memory. */
async function cachedOnBoth(more: object = {}): Promise<{ name: string; id: string }> {
  sources += 1;
  const name = `source-${sources}`;
  const id = await onA.makeSource(name, more);
  await onA.addEntry(name, { text: 'The first entry' });
  await onA.post(`/v1/sources/${name}/consistency/repair`);
  for (const client of [onA, onB]) {
    // What the search index still evicts from before may come in between.
    let level: string | null = null;
    for (let tries = 0; level !== 'L1' && tries < 50; tries += 1) {
      level = cacheOf(await client.compile({ sources: [{ id: name }] }));
    }
    expect(level).toBe('L1');
  }
  return { name, id };
}

describe.each(BACKPLANES)('with %s between the instances', (backplane) => {
  beforeAll(async () => {
    instances = await startInstances(backplane, testRedisUrl());
    const token = await instances.a.register('ann@test.example');
    onA = contextClient(instances.a, token);
    onB = contextClient(instances.b, token);
  }, 60_000);
  afterAll(() => instances.close(), 60_000);

  it('a repeated compile comes from memory, with the same messages and entity tag', async () => {
    const { name } = await cachedOnBoth();
    const request = { sources: [{ id: name }], texts: ['which entry'] };
    const first = await onA.compile(request);
    const second = await onA.compile(request);
    expect([cacheOf(first), cacheOf(second)]).toEqual(['MISS', 'L1']);
    expect(second.body).toEqual(first.body);
    expect(first.headers.get('etag')).toMatch(/^W\/"[\w-]{22}"$/);
    expect(second.headers.get('etag')).toBe(first.headers.get('etag'));
    expect(second.headers.get('server-timing')).toMatch(/db;dur=0\.00, rank;dur=0\.00$/);
    // The other instance finds it in a shared level, and then in its own memory.
    const level = backplane === 'Redis' ? 'L2' : 'L3';
    const elsewhere = await onB.compile(request);
    expect([cacheOf(elsewhere), elsewhere.body]).toEqual([level, first.body]);
    expect(cacheOf(await onB.compile(request))).toBe('L1');
  });

  it.each(['add', 'bulk', 'all-or-nothing bulk'])(
    'an entry that was acknowledged (%s) is in the next context of every instance',
    async (how) => {
      const { name } = await cachedOnBoth();
      for (let round = 1; round <= 5; round += 1) {
        const entry = { text: `Entry of round ${round}` };
        if (how === 'add') await onA.addEntry(name, entry);
        else {
          const query = how === 'bulk' ? '' : '?onError=abort';
          expect((await onA.bulk(name, [entry], query)).body).toMatchObject({ inserted: 1 });
        }
        const answers = await Promise.all(
          [onB, onA].map((client) => client.compile({ sources: [{ id: name }] })),
        );
        for (const answer of answers) expect(contentsOf(answer)).toContain(entry.text);
      }
    },
  );

  it('what follows through the search index is found within 100 ms of it', async () => {
    const { name } = await cachedOnBoth();
    const filler = Array.from({ length: 30 }, (_, index) => ({ text: `Filler ${index}` }));
    await onA.bulk(name, [
      { text: 'Okapis are shy', occurredAt: '2020-01-01T00:00:00Z' },
      ...filler,
    ]);
    const question = { sources: [{ id: name }], texts: ['shy okapis'], recentLimit: 1 };
    await onB.compile(question);
    // Its text changes, and so does its index, a moment after the answer.
    await onA.addEntry(name, { text: 'Numbats are bold', occurredAt: '2020-01-02T00:00:00Z' });
    const numbat = { ...question, texts: ['bold numbats'] };
    await onB.compile(numbat);
    const indexed = async (): Promise<boolean> =>
      (await onA.get(`/v1/sources/${name}/consistency`)).body.pending === 0;
    while (!(await indexed())) await new Promise((resolve) => setTimeout(resolve, 5));
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(contentsOf(await onB.compile(numbat))).toContain('Numbats');
    expect(contentsOf(await onB.compile(question))).toContain('Okapis');
  });

  it('a source that is renamed, bounded or deleted is so on every instance at once', async () => {
    const { name } = await cachedOnBoth();
    const renamed = `${name}-renamed`;
    expect((await onA.send('PATCH', `/v1/sources/${name}`, { name: renamed })).status).toBe(200);
    expect((await onB.compile({ sources: [{ id: name }] })).status).toBe(404);
    expect((await onB.compile({ sources: [{ id: renamed }] })).body.messages).toHaveLength(1);
    await onA.addEntry(renamed, { text: 'Ancient', occurredAt: '2001-01-01T00:00:00Z' });
    expect(contentsOf(await onB.compile({ sources: [{ id: renamed }] }))).toContain('Ancient');
    await onA.send('PATCH', `/v1/sources/${renamed}`, { retentionDays: 30 });
    expect(contentsOf(await onB.compile({ sources: [{ id: renamed }] }))).not.toContain('Ancient');
    expect((await onA.send('DELETE', `/v1/sources/${renamed}`)).status).toBe(204);
    expect((await onB.compile({ sources: [{ id: renamed }] })).status).toBe(404);
    await onA.makeSource(renamed);
    expect((await onB.compile({ sources: [{ id: renamed }] })).body.messages).toEqual([]);
  });

  it('a rule of a source says how long contexts of it may be kept, also not at all', async () => {
    const { name } = await cachedOnBoth();
    await onA.send('PATCH', `/v1/sources/${name}`, { cacheRule: { ttlMs: 0 } });
    for (const client of [onA, onB, onA]) {
      expect(cacheOf(await client.compile({ sources: [{ id: name }] }))).toBe('MISS');
    }
  });

  it('memories that were remembered or rated are in the next answer everywhere', async () => {
    const relevant = (client: ContextClient): Promise<TestAnswer> =>
      client.get('/v1/memories/relevant?limit=100');
    for (let round = 1; round <= 5; round += 1) {
      await relevant(onB);
      const { body } = await onA.post('/v1/memories/remember', { text: `Memory ${round}` });
      const next = await relevant(onB);
      expect(next.body.items.map(({ id }: { id: string }) => id)).toContain(body.id);
      await onA.post(`/v1/memories/${body.id}/feedback`, { rating: 5 });
      const rated = (await relevant(onB)).body.items.find(
        ({ id }: { id: string }) => id === body.id,
      );
      expect(rated).toMatchObject({ rating: 5 });
    }
  });

  it('a reader who began before a write does not hide it from those who come after', async () => {
    const { name } = await cachedOnBoth();
    for (let round = 1; round <= 30; round += 1) {
      const text = `Raced ${round}`;
      const request = { sources: [{ id: name }], texts: [text], recentLimit: 50, limit: 100 };
      const readers = [onA, onB, onA, onB].map((client) => client.compile(request));
      await onA.addEntry(name, { text });
      const after = await Promise.all([onA, onB].map((client) => client.compile(request)));
      for (const answer of after) expect(contentsOf(answer)).toContain(text);
      await Promise.all(readers);
      for (const client of [onB, onA]) {
        expect(contentsOf(await client.compile(request))).toContain(text);
      }
    }
  });

  it('the parts of a long bulk write are seen before it ends', async () => {
    const { name } = await cachedOnBoth();
    let release = (): void => undefined;
    const gate = new Promise<void>((resolve) => (release = resolve));
    async function* body(): AsyncGenerator<Uint8Array> {
      const encode = (rows: readonly object[]): Uint8Array =>
        new TextEncoder().encode(ndjson(rows));
      yield encode(Array.from({ length: 1500 }, (_, index) => ({ text: `Part ${index}` })));
      await gate;
      yield encode([{ text: 'The end of the bulk' }]);
    }
    const writing = fetch(`${instances.a.url}/v1/sources/${name}/entries/bulk`, {
      method: 'POST',
      headers: { authorization: `Bearer ${onA.token}`, 'content-type': 'application/x-ndjson' },
      body: body(),
      duplex: 'half',
    });
    // Only what is recent: the last entry is like no other.
    const request = { sources: [{ id: name }], queryLimit: 0 };
    const hasPart = async (): Promise<boolean> =>
      contentsOf(await onB.compile(request)).includes('Part');
    while (!(await hasPart())) await new Promise((resolve) => setTimeout(resolve, 10));
    expect(contentsOf(await onB.compile(request))).not.toContain('The end of the bulk');
    release();
    expect(await (await writing).json()).toMatchObject({ inserted: 1501 });
    expect(contentsOf(await onB.compile(request))).toContain('The end of the bulk');
  }, 30_000);
});
