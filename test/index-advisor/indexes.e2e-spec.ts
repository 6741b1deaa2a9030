import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startTestApi, type TestApi } from '../support/app.js';

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await startTestApi({
    PANTHEON_INDEX_ADVISOR_TIME_MS: '5000',
    PANTHEON_INDEX_ADVISOR_MIN_STATISTICS_DAYS: '0',
    PANTHEON_INDEX_ADVISOR_VERIFY_AFTER_MS: '500',
  });
  token = await api.login();
  await sql(`CREATE TABLE shipment (id int PRIMARY KEY, customer int NOT NULL, note text NOT NULL);
    INSERT INTO shipment SELECT i, i % 5000, repeat('x', 80) FROM generate_series(1, 60000) i;
    CREATE INDEX shipment_note_a ON shipment (note, id);
    CREATE INDEX shipment_note_b ON shipment (note, id);
    ANALYZE shipment`);
  await read();
}, 60_000);
afterAll(() => api.close());

const sql = (text: string, values?: unknown[]) => api.platform.dataSource.query(text, values);
const get = async (path: string) => (await api.request('GET', path, { token })).body;

async function read(): Promise<void> {
  for (let customer = 0; customer < 40; customer += 1) {
    await sql('SELECT id FROM shipment WHERE customer = $1', [customer]);
  }
}

async function finished(jobId: string) {
  for (;;) {
    const job = await get(`/v1/jobs/${jobId}`);
    if (job.state === 'failed') throw new Error(JSON.stringify(job));
    if (job.state === 'completed') return job;
    await sleep(50);
  }
}

async function step(wanted: string) {
  for (;;) {
    const { items } = await get('/v1/perf/indexes/changes');
    const found = items.find((item: { step: string }) => item.step === wanted);
    if (found !== undefined) return found;
    const reverted = items.find((item: { step: string }) => item.step === 'reverted');
    if (reverted !== undefined) throw new Error(JSON.stringify(reverted.detail));
    await sleep(50);
  }
}

describe('advice on indexes over HTTP', () => {
  it('lists the indexes, recommends what is missing and what should go', async () => {
    const { status, body } = await api.request('GET', '/v1/perf/indexes', { token });

    expect(status).toBe(200);
    expect(body.current).toContainEqual(
      expect.objectContaining({ name: 'shipment_pkey', constraint: 'shipment_pkey' }),
    );
    const [best] = body.recommended;
    expect(best).toMatchObject({ table: 'shipment', schema: 'public' });
    expect(best.ddl).toContain('CREATE INDEX CONCURRENTLY');
    const [served] = best.serves;
    expect(served.query).toContain('customer = $1');
    expect(served.costAfter).toBeLessThan(served.costBefore / 10);
    expect(body.toRemove).toContainEqual(
      expect.objectContaining({ code: 'duplicate-index', object: 'public.shipment_note_b' }),
    );
    const { improvement, gap } = body.estimatedImprovement;
    expect(improvement).toBeGreaterThan(0);
    expect(gap).toBeLessThanOrEqual(0.01);
  }, 120_000);

  it('builds what it recommended as a job, measures the gain, and tells each step', async () => {
    const { recommended } = await get('/v1/perf/indexes');
    const names = recommended
      .filter(({ table }: { table: string }) => table === 'shipment')
      .map(({ name }: { name: string }) => name);
    const answer = await api.request('POST', '/v1/perf/indexes/apply', { token, body: { names } });

    expect(answer.status).toBe(202);
    expect(answer.body.indexes).toEqual(names);
    const job = await finished(answer.body.jobId);
    expect(job.result.indexes[0]).toMatchObject({ state: 'built', name: names[0] });
    await read();
    const verified = await step('verified');
    expect(verified.detail).toMatchObject({ verified: true });
    expect(verified.detail.gainPercent).toBeGreaterThan(50);
    const { items } = await get('/v1/perf/indexes/changes');
    const steps = items
      .filter(({ changeId }: { changeId: string }) => changeId === verified.changeId)
      .map((item: { step: string }) => item.step);
    expect(steps).toEqual(
      expect.arrayContaining(['preflight', 'build-started', 'built', 'verified']),
    );
    const { current } = await get('/v1/perf/indexes');
    expect(current.map(({ name }: { name: string }) => name)).toContain(names[0]);
  }, 120_000);

  it('analyses again in the background, and then recommends no longer what is there', async () => {
    const { status, body } = await api.request('POST', '/v1/perf/indexes/analyse', { token });
    expect(status).toBe(202);
    await finished(body.jobId);
    const { recommended } = await get('/v1/perf/indexes');
    expect(recommended.filter(({ table }: { table: string }) => table === 'shipment')).toEqual([]);
  }, 120_000);

  it('answers for the schema', async () => {
    const { findings } = await get('/v1/perf/schema');
    expect(findings).toContainEqual(
      expect.objectContaining({ code: 'duplicate-index', object: 'public.shipment_note_b' }),
    );
  });

  it('looks at the plans of the costliest queries, and refreshes stale statistics', async () => {
    await sql('CREATE TABLE errand (id int, kind int) WITH (autovacuum_enabled = off)');
    // A session that ends has told what it changed.
    const other = new Client({ connectionString: api.platform.databaseUrl });
    await other.connect();
    await other.query('INSERT INTO errand SELECT i, i % 3 FROM generate_series(1, 20000) i');
    await other.end();
    for (let kind = 0; kind < 30; kind += 1) {
      await sql('SELECT count(*) FROM errand WHERE id = $1 AND kind = 2', [kind]);
    }
    const body = { limit: 100 };
    const answer = await api.request('POST', '/v1/perf/queries/optimize', { token, body });

    expect(answer.status).toBe(200);
    const { queriesAnalyzed, queries, optimizationsApplied, performanceImprovement } = answer.body;
    expect(queriesAnalyzed).toBe(queries.length);
    const query = queries.find((each: { query: string }) =>
      each.query.includes('FROM errand WHERE'),
    );
    const codes = query.findings.map(({ code }: { code: string }) => code);
    expect(codes).toEqual(expect.arrayContaining(['stale-statistics']));
    expect(optimizationsApplied).toContainEqual(
      expect.objectContaining({ kind: 'analyze', object: 'public.errand' }),
    );
    expect(performanceImprovement).toHaveProperty('measured');
    const again = await api.request('POST', '/v1/perf/queries/optimize', { token, body });
    expect(again.body.optimizationsApplied).toEqual([]);
  }, 60_000);

  it('refuses names that were not recommended, and callers who may not', async () => {
    const unknown = { token, body: { names: ['ix_nothing'] } };
    const answer = await api.request('POST', '/v1/perf/indexes/apply', unknown);
    expect(answer.status).toBe(404);
    expect(answer.body.code).toBe('INDEX_ADVICE_UNKNOWN');

    const someone = await api.register('someone@test.example');
    for (const path of ['/v1/perf/indexes', '/v1/perf/schema', '/v1/perf/indexes/changes']) {
      expect((await api.request('GET', path, { token: someone })).status).toBe(403);
    }
    const denied = { token: someone, body: {} };
    expect((await api.request('POST', '/v1/perf/indexes/apply', denied)).status).toBe(403);
  });
});
