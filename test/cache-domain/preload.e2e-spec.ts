import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ContextClient, contextClient } from '../context/context-fixtures.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const PATH = '/v1/memories/preload';
const HOUR_MS = 3_600_000;

let api: TestApi;
let ann: ContextClient;
let administrator: ContextClient;

beforeAll(async () => {
  // Answers are not kept, so that every question looks at what was preloaded.
  api = await startTestApi({
    PANTHEON_CONTEXT_CONSISTENCY: 'strict',
    PANTHEON_CONTEXT_MEMORY_CACHE_TTL_MS: '0',
  });
  administrator = contextClient(api, await api.login());
  ann = contextClient(api, await api.register('ann@test.example'));
  const rows = Array.from({ length: 150 }, (_, index) => ({
    text: `Memory ${index} of ${['tea', 'trains', 'tides'][index % 3]}`,
    occurredAt: new Date(Date.now() - (200 - index) * 60_000).toISOString(),
    ...(index < 30 ? { importance: true } : {}),
  }));
  await remember(ann, rows[0] as object);
  expect((await ann.bulk('memories', rows.slice(1))).body).toMatchObject({ inserted: 149 });
}, 60_000);
afterAll(() => api.close(), 60_000);

async function remember(client: ContextClient, memory: object): Promise<string> {
  const { status, body } = await client.post('/v1/memories/remember', memory);
  expect(status).toBe(201);
  return String(body.id);
}

/** Triggers a preload and waits for its job. */
async function preload(client: ContextClient): Promise<TestAnswer> {
  const { status, body } = await client.post(`${PATH}/trigger`);
  expect([status, body]).toEqual([202, { jobId: expect.any(String) }]);
  for (;;) {
    const job = await administrator.get(`/v1/jobs/${body.jobId}`);
    expect(job.body.state).not.toBe('failed');
    if (job.body.state === 'completed') return client.get(`${PATH}/status`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function counted(name: string): Promise<number> {
  const { body } = await api.request('GET', '/metrics');
  const lines = String(body)
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

const idsOf = ({ body }: TestAnswer): string[] =>
  (body.items as { id: string }[]).map(({ id }) => id);

describe('preloading of memories', () => {
  it('says that nothing was loaded yet, and what would be', async () => {
    const { status, body } = await ann.get(`${PATH}/status`);
    expect(status).toBe(200);
    expect(body).toMatchObject({ state: 'none', jobId: null, loadedAt: null });
    const config = await ann.get(`${PATH}/config`);
    expect(config.body).toEqual({
      auto: false,
      maxRows: 100,
      shares: { recent: 40, frequent: 30, important: 20, context: 10 },
      ttlMinutes: { recent: 120, frequent: 240, important: 360, context: 60 },
    });
  });

  it('loads recent, frequent, important and fitting memories, 100 at most, each for its time', async () => {
    // What was given often is frequent.
    for (let time = 0; time < 3; time += 1) {
      await ann.post('/v1/memories/recall', { query: 'Memory 45 of tea', limit: 40 });
    }
    await new Promise((resolve) => setTimeout(resolve, 1500));
    const { body } = await preload(ann);
    expect(body.state).toBe('loaded');
    const { recent, frequent, important, context } = body.parts;
    expect(recent.share + frequent.share + important.share + context.share).toBe(100);
    expect([important.share, important.rows]).toEqual([20, 20]);
    expect(frequent.rows).toBeGreaterThan(0);
    expect(context.rows).toBeGreaterThan(0);
    const rows = recent.rows + frequent.rows + important.rows + context.rows;
    expect(rows).toBeGreaterThan(90);
    expect(rows).toBeLessThanOrEqual(100);
    for (const [part, hours] of [
      [recent, 2],
      [frequent, 4],
      [important, 6],
      [context, 1],
    ] as const) {
      const leftMs = new Date(part.keptUntil as string).getTime() - Date.now();
      // Less what is taken off at random.
      expect(leftMs).toBeLessThanOrEqual(hours * HOUR_MS);
      expect(leftMs).toBeGreaterThan(hours * HOUR_MS * 0.9);
    }
    expect(await counted('memory_preload_rows_total')).toBe(rows);
  });

  it('answers what is relevant from what was loaded, without a statement', async () => {
    await preload(ann);
    const used = await counted('memory_preload_reads_total');
    const { dataSource } = api.platform;
    const pool = (dataSource.driver as unknown as { master: { query: unknown } }).master;
    const { query } = pool as { query: (...parameters: unknown[]) => unknown };
    const statements: string[] = [];
    pool.query = (...parameters: unknown[]) => {
      const text = typeof parameters[0] === 'string' ? parameters[0] : '';
      if (/FROM context_entry|JOIN context_entry/.test(text)) statements.push(text);
      return query.apply(pool, parameters);
    };
    const answer = await ann.get('/v1/memories/relevant?limit=50');
    pool.query = query;
    expect(statements).toEqual([]);
    expect(idsOf(answer)).toHaveLength(50);
    expect(await counted('memory_preload_reads_total')).toBe(used + 4);
  });

  it('is undone by a change, which is in the next answer', async () => {
    await preload(ann);
    const id = await remember(ann, { text: 'Quite new', importance: true, pinned: true });
    expect(idsOf(await ann.get('/v1/memories/relevant?limit=5'))).toContain(id);
    const { body } = await ann.get(`${PATH}/status`);
    expect(body.parts.recent.keptUntil).toBeNull();
    const { body: again } = await preload(ann);
    expect(again.parts.recent.keptUntil).not.toBeNull();
    expect(idsOf(await ann.get('/v1/memories/relevant?limit=5'))).toContain(id);
  });

  it('goes by what the user wishes', async () => {
    const wish = {
      maxRows: 20,
      shares: { recent: 50, frequent: 0, important: 50, context: 0 },
      ttlMinutes: { recent: 10 },
    };
    const { status, body } = await ann.send('PUT', `${PATH}/config`, wish);
    expect([status, body]).toEqual([
      200,
      {
        auto: false,
        ...wish,
        ttlMinutes: { recent: 10, frequent: 240, important: 360, context: 60 },
      },
    ]);
    const { parts } = (await preload(ann)).body;
    expect([parts.recent.rows, parts.important.rows]).toEqual([10, 10]);
    expect([parts.frequent.rows, parts.context.rows]).toEqual([0, 0]);
    // Who asks for more than is at hand gets it all the same.
    expect(idsOf(await ann.get('/v1/memories/relevant?limit=60'))).toHaveLength(60);
  });

  it.each([
    [{ shares: { recent: 90 } }, 'body.shares'],
    [{ maxRows: 101 }, 'body.maxRows'],
    [{ ttlMinutes: { recent: 0 } }, 'body.ttlMinutes.recent'],
    [{ rows: 5 }, 'body'],
  ])('refuses the wish %j', async (wish, path) => {
    const { status, body } = await ann.send('PUT', `${PATH}/config`, wish);
    expect([status, body.errors[0].path]).toEqual([400, path]);
  });

  it('is of no harm to who has no memories, and shows nobody those of others', async () => {
    const bob = contextClient(api, await api.register('bob@test.example'));
    const { body } = await preload(bob);
    expect(body.parts.recent.rows).toBe(0);
    expect(idsOf(await bob.get('/v1/memories/relevant'))).toEqual([]);
    expect((await api.request('POST', `${PATH}/trigger`)).status).toBe(401);
  });
});
