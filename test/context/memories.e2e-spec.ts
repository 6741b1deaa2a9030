import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { newId } from '#libs/core';
import { startTestApi, type TestApi } from '../support/app.js';
import { type ContextClient, contextClient } from './context-fixtures.js';

let api: TestApi;
let ann: ContextClient;
let bob: ContextClient;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_CONTEXT_CONSISTENCY: 'strict' });
  ann = contextClient(api, await api.register('ann@test.example'));
  bob = contextClient(api, await api.register('bob@test.example'));
  for (const text of ['The dentist is in Elm Street', 'Grandma likes rye bread']) {
    await remember(ann, { text });
  }
}, 60_000);
afterAll(() => api.close(), 60_000);

async function remember(client: ContextClient, memory: object): Promise<string> {
  const { status, body } = await client.post('/v1/memories/remember', memory);
  expect([status, body]).toEqual([201, { id: expect.any(String) }]);
  return String(body.id);
}

const texts = (body: { items: { text: string }[] }): string[] => body.items.map(({ text }) => text);

describe('memories', () => {
  it('come back for a question that fits, best first', async () => {
    const { status, body } = await ann.post('/v1/memories/recall', {
      query: 'where is the dentist',
      limit: 1,
    });
    expect(status).toBe(200);
    expect(texts(body)).toEqual(['The dentist is in Elm Street']);
    expect(body.items[0]).toMatchObject({ score: expect.any(Number), terms: expect.any(Object) });
  });

  it('are found by where as well', async () => {
    await remember(ann, { text: 'Tea at four', metadata: { topic: 'tea' } });
    await remember(ann, { text: 'Tea at five', metadata: { topic: 'party' } });
    const { body } = await ann.post('/v1/memories/recall', {
      query: 'tea',
      where: { topic: 'party' },
    });
    expect(texts(body)).toEqual(['Tea at five']);
  });

  it('are worth more once they are pinned, flagged or rated', async () => {
    const id = await remember(ann, { text: 'The spare key is under the pot' });
    const rank = async (): Promise<number> => {
      const { body } = await ann.get('/v1/memories/relevant?limit=100');
      return texts(body).indexOf('The spare key is under the pot');
    };
    const scoreOf = async (): Promise<number> => {
      const { body } = await ann.get('/v1/memories/relevant?limit=100');
      const items = body.items as { id: string; score: number }[];
      return items.find((item) => item.id === id)?.score ?? Number.NaN;
    };
    const before = await scoreOf();
    const feedback = await ann.post(`/v1/memories/${id}/feedback`, { pinned: true, rating: 4 });
    expect([feedback.status, feedback.body]).toEqual([204, undefined]);
    // +2.5 pinned and +4 rated; other terms change with time only.
    expect((await scoreOf()) - before).toBeGreaterThan(6);
    expect(await rank()).toBe(0);
    const { body } = await ann.get('/v1/memories/relevant?limit=1');
    expect(body.items).toEqual([expect.objectContaining({ id, pinned: true, rating: 4 })]);
  });

  it('follow what is going on', async () => {
    const { body } = await bob.get('/v1/memories/relevant');
    expect(body.items).toEqual([]);
    await remember(bob, { text: 'The boiler needs water every month' });
    await remember(bob, { text: 'The car needs a new tyre' });
    const { body: boiler } = await bob.get('/v1/memories/relevant?text=boiler%20water&limit=1');
    expect(texts(boiler)).toEqual(['The boiler needs water every month']);
  });

  it('belong to one user alone', async () => {
    const { body } = await bob.post('/v1/memories/recall', { query: 'dentist' });
    expect(texts(body)).not.toContain('The dentist is in Elm Street');
    const id = await remember(ann, { text: 'private' });
    expect((await bob.post(`/v1/memories/${id}/feedback`, { rating: 1 })).status).toBe(404);
    expect((await ann.post(`/v1/memories/${newId()}/feedback`, { rating: 1 })).body).toMatchObject({
      status: 404,
      code: 'ENTRY_NOT_FOUND',
    });
  });

  it('are kept once for one Idempotency-Key', async () => {
    const headers = { 'idempotency-key': newId() };
    const first = await ann.post('/v1/memories/remember', { text: 'only once' }, headers);
    const second = await ann.post('/v1/memories/remember', { text: 'only once' }, headers);
    expect(second.body).toEqual(first.body);
  });

  it('refuse what is no memory and no opinion', async () => {
    expect((await ann.post('/v1/memories/remember', { text: '' })).status).toBe(400);
    expect((await ann.post('/v1/memories/recall', { query: 'x', limit: 0 })).status).toBe(400);
    expect((await ann.get('/v1/memories/relevant?text=%00')).status).toBe(400);
    const id = await remember(ann, { text: 'rated' });
    expect((await ann.post(`/v1/memories/${id}/feedback`, { rating: 9 })).body).toMatchObject({
      status: 400,
      errors: [expect.objectContaining({ path: 'body.rating' })],
    });
    expect((await ann.post('/v1/memories/not-an-id/feedback', { rating: 1 })).status).toBe(400);
  });
});
