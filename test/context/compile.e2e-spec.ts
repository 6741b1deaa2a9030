import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';
import { type ContextClient, contextClient, minute } from './context-fixtures.js';

let api: TestApi;
let ann: ContextClient;

const FRUITS = ['apple', 'banana', 'cherry', 'damson', 'elderberry', 'fig', 'grape'];

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_CONTEXT_COMPILE_BATCH_MAX_REQUESTS: '3' });
  ann = contextClient(api, await api.register('ann@test.example'));
  await ann.fill(
    'chat',
    Array.from({ length: 60 }, (_, index) => ({
      text: `Remark ${index} about ${FRUITS[index % FRUITS.length]} number ${index}`,
      role: index % 2 === 0 ? 'user' : 'assistant',
      author: index % 2 === 0 ? 'Ann' : 'Bot',
      occurredAt: minute(index),
      metadata: { room: index < 30 ? 'hall' : 'attic', index },
    })),
  );
  await ann.fill('facts', [
    { text: 'Quokkas live on Rottnest Island', author: 'Atlas', occurredAt: minute(-5000) },
    { text: 'Zymurgy is the science of fermentation', author: 'Atlas', occurredAt: minute(-4000) },
    { text: 'A zymurgy without metadata', occurredAt: minute(-3000) },
    ...Array.from({ length: 30 }, (_, index) => ({
      text: `Filler fact ${index}`,
      author: 'Atlas',
      occurredAt: minute(100 + index),
    })),
  ]);
}, 60_000);
afterAll(() => api.close(), 60_000);

interface Message {
  role: string;
  content: string;
}

const contents = (body: { messages: Message[] }): string[] =>
  body.messages.map(({ content }) => content);

describe('compile', () => {
  it('answers messages oldest first, said by their authors, and a report', async () => {
    const { status, body } = await ann.compile({ sources: [{ id: 'chat', label: 'Chat' }] });
    expect(status).toBe(200);
    expect(body.messages.length).toBeGreaterThan(0);
    const numbers = contents(body).map((text) => Number(/Remark (\d+)/.exec(text)?.[1]));
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b));
    expect(body.messages.at(-2)).toEqual({
      role: 'user',
      content: `Ann said (${minute(58)}): Remark 58 about ${FRUITS[58 % 7]} number 58`,
    });
    // The assistant's own utterances are bare.
    expect(body.messages.at(-1)).toEqual({
      role: 'assistant',
      content: `Remark 59 about ${FRUITS[59 % 7]} number 59`,
    });
    expect(body.report.fingerprint).toMatch(/^[\w-]{43}$/);
    expect(body.report.sources).toEqual([
      {
        id: 'chat',
        recent: 10,
        relevant: expect.any(Number),
        used: body.messages.length,
        durationMs: expect.any(Number),
        status: 'ok',
      },
    ]);
    expect(body.report).not.toHaveProperty('explain');
  });

  it('says in Server-Timing where the time went', async () => {
    const { headers } = await ann.compile({ sources: [{ id: 'chat' }] });
    expect(headers.get('server-timing')).toMatch(
      /^managers;dur=\d+\.\d+, db;dur=\d+\.\d+, rank;dur=\d+\.\d+$/,
    );
  });

  it('never gives more messages than the limit, and as many when there are', async () => {
    for (const limit of [0, 1, 2, 7, 20, 33]) {
      const request = { sources: [{ id: 'chat' }, { id: 'facts' }], recentLimit: 40, limit };
      const { body } = await ann.compile(request);
      expect([limit, body.messages.length]).toEqual([limit, limit]);
      const used = (body.report.sources as { used: number }[]).map((source) => source.used);
      expect(used.reduce((sum, count) => sum + count, 0)).toBe(limit);
    }
    const { body } = await ann.compile({ sources: [{ id: 'chat' }, { id: 'facts' }] });
    expect(body.messages).toHaveLength(20);
  });

  it("always searches with the caller's texts, before and beyond recent ones", async () => {
    const texts = ['zymurgy fermentation science', 'quokkas on rottnest island'];
    for (const queryLimit of [1, 2, 5]) {
      const { body } = await ann.compile({ sources: [{ id: 'facts' }], texts, queryLimit });
      expect(contents(body).join('\n')).toContain('Zymurgy is the science');
      expect(contents(body).join('\n')).toContain('Quokkas live');
    }
    const { body } = await ann.compile({ sources: [{ id: 'facts' }], texts, limit: 2 });
    expect(contents(body).join('\n')).toMatch(/Quokkas[^]*Zymurgy is/);
  });

  it('honours where of each source, in recents and in what it finds', async () => {
    const { body } = await ann.compile({
      sources: [{ id: 'chat', where: { room: 'hall' } }],
      texts: ['attic remark 45 about damson'],
      recentLimit: 50,
      limit: 50,
    });
    const numbers = contents(body).map((text) => Number(/Remark (\d+)/.exec(text)?.[1]));
    expect(numbers.length).toBeGreaterThan(20);
    expect(Math.max(...numbers)).toBeLessThan(30);
    const none = await ann.compile({ sources: [{ id: 'chat', where: { room: 'cellar' } }] });
    expect(none.body.messages).toEqual([]);
  });

  it('explains each message by terms that add up to its score', async () => {
    const request = { sources: [{ id: 'facts' }], texts: ['quokkas'], explain: true, limit: 5 };
    const { body } = await ann.compile(request);
    expect(body.report.explain).toHaveLength(body.messages.length);
    for (const { score, terms, source } of body.report.explain as {
      score: number;
      terms: Record<string, number>;
      source: string;
    }[]) {
      const sum = Object.values(terms).reduce((total, term) => total + term, 0);
      expect(score).toBeCloseTo(sum, 5);
      expect(source).toBe('facts');
    }
  });

  it('has one fingerprint for a question in any order of its parts', async () => {
    const fingerprint = async (request: object): Promise<string> =>
      (await ann.compile(request)).body.report.fingerprint as string;
    const a = { id: 'chat', where: { room: 'hall', index: 1 } };
    const swapped = { id: 'chat', where: { index: 1, room: 'hall' } };
    const b = { id: 'facts' };
    const one = await fingerprint({ sources: [a, b], texts: ['x'] });
    expect(await fingerprint({ texts: ['x'], sources: [b, swapped] })).toBe(one);
    expect(await fingerprint({ sources: [a], texts: ['x'] })).not.toBe(one);
    expect(await fingerprint({ sources: [a, b], texts: ['y'] })).not.toBe(one);
  });

  it('answers no sources with no messages, and unknown ones with 404', async () => {
    const empty = await ann.compile({ sources: [] });
    expect(empty.body).toMatchObject({ messages: [], report: { sources: [] } });
    const unknown = await ann.compile({ sources: [{ id: 'chat' }, { id: 'nowhere' }] });
    expect(unknown.body).toMatchObject({ status: 404, code: 'SOURCE_NOT_FOUND' });
  });

  it('contains an entry right after it was added', async () => {
    await ann.makeSource('fresh');
    await ann.addEntry('fresh', { text: 'first light', author: 'Ann' });
    const { body } = await ann.compile({ sources: [{ id: 'fresh' }] });
    expect(contents(body)).toEqual([expect.stringContaining('first light')]);
    await ann.addEntry('fresh', { text: 'second light', author: 'Ann' });
    const next = await ann.compile({ sources: [{ id: 'fresh' }] });
    expect(contents(next.body)).toHaveLength(2);
  });

  it('refuses what is not a question, with the path of each fault', async () => {
    const faults: [object, string][] = [
      [{}, 'body.sources'],
      [{ sources: 'chat' }, 'body.sources'],
      [{ sources: [{ id: 5 }] }, 'body.sources[0].id'],
      [{ sources: [], limit: -1 }, 'body.limit'],
      [{ sources: [], texts: [1] }, 'body.texts[0]'],
    ];
    for (const [request, path] of faults) {
      const { status, body } = await ann.compile(request);
      expect([status, body.errors?.[0]?.path]).toEqual([400, path]);
    }
    const greedy = await ann.compile({ sources: [{ id: 'chat' }], limit: 900 });
    expect(greedy.status).toBe(400);
  });
});

describe('compile in a batch', () => {
  it('answers each request in its place, also one that fails', async () => {
    const { status, body } = await ann.post('/v1/contexts/compile/batch', {
      requests: [
        { sources: [{ id: 'chat' }], limit: 3 },
        { sources: [{ id: 'nowhere' }] },
        { sources: [{ id: 'facts' }], limit: 2, explain: true },
      ],
    });
    expect(status).toBe(200);
    expect(body.items).toEqual([
      expect.objectContaining({ status: 'ok' }),
      { status: 'failed', error: expect.objectContaining({ code: 'SOURCE_NOT_FOUND' }) },
      expect.objectContaining({ status: 'ok' }),
    ]);
    expect(body.items[0].messages).toHaveLength(3);
    expect(body.items[2].report.explain).toHaveLength(2);
  });

  it('refuses more requests than the setting allows', async () => {
    const requests = Array.from({ length: 4 }, () => ({ sources: [{ id: 'chat' }] }));
    const { body } = await ann.post('/v1/contexts/compile/batch', { requests });
    expect(body).toMatchObject({ status: 400, code: 'COMPILE_BATCH_TOO_LARGE' });
  });
});

describe('compile as a stream', () => {
  it('gives the same messages a line each, and the report last', async () => {
    const request = { sources: [{ id: 'chat' }], limit: 4 };
    const whole = await ann.compile(request);
    const streamed = await ann.post('/v1/contexts/compile/stream', request);
    expect(streamed.status).toBe(200);
    expect(streamed.headers.get('content-type')).toContain('application/x-ndjson');
    const lines = String(streamed.body)
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { message?: Message; report?: { fingerprint: string } });
    expect(lines).toHaveLength(5);
    expect(lines.slice(0, 4).map(({ message }) => message)).toEqual(whole.body.messages);
    expect(lines[4]?.report?.fingerprint).toBe(whole.body.report.fingerprint);
    const refused = await ann.post('/v1/contexts/compile/stream', { sources: [{ id: 'nowhere' }] });
    expect(refused.body).toMatchObject({ status: 404, code: 'SOURCE_NOT_FOUND' });
  });
});

describe('the manager cache', () => {
  it('shows its figures to who may see performance, and to nobody else', async () => {
    expect((await ann.get('/v1/contexts/manager-cache')).status).toBe(403);
    const administrator = contextClient(api, await api.login());
    const { status, body } = await administrator.get('/v1/contexts/manager-cache');
    expect(status).toBe(200);
    expect(body).toEqual({
      hits: expect.any(Number),
      misses: expect.any(Number),
      sets: expect.any(Number),
      evictions: expect.any(Number),
      currentSize: expect.any(Number),
      fetches: expect.any(Number),
      fetchMs: expect.any(Number),
    });
    expect(body.hits + body.misses).toBeGreaterThan(0);
  });
});
