import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_DATABASE_POOL_SIZE: '7' });
  token = await api.login();
});
afterAll(() => api.close());

describe('the pool', () => {
  it('is told with its use, its times and what size it should have', async () => {
    const { status, body } = await api.request('GET', '/v1/perf/pool', { token });
    expect(status).toBe(200);
    expect(body).toMatchObject({ size: 7, waiting: 0, counts: { timedOut: 0, refused: 0 } });
    expect(body.counts.acquired).toBeGreaterThan(0);
    expect(body.wait.count).toBe(body.counts.acquired);
    expect(body.open).toBe(body.idle + body.busy);
  });

  it('takes over the size that its use asks for, and the setting says so', async () => {
    await Promise.all(
      Array.from({ length: 150 }, () => api.platform.dataSource.query('SELECT pg_sleep(0.001)')),
    );
    const { status, body } = await api.request('POST', '/v1/perf/pool/optimize', { token });
    expect(status).toBe(200);
    expect(body.evidence.arrivalsPerSecond).toBeGreaterThan(0);
    expect(body).toMatchObject({ sizeBefore: 7, applied: true });
    const after = await api.request('GET', '/v1/perf/pool', { token });
    expect(after.body.size).toBe(body.size);
    const metrics = await api.request('GET', '/metrics', { token });
    expect(metrics.body).toContain(`db_pool_size ${body.size}\n`);
    expect(metrics.body).toMatch(/db_pool_events_total\{event="acquired"\} [1-9]/);
  });

  it('is not for everybody', async () => {
    const user = await api.register('pool@test.example');
    for (const [method, path] of [
      ['GET', '/v1/perf/pool'],
      ['POST', '/v1/perf/pool/optimize'],
    ] as const) {
      expect((await api.request(method, path, { token: user })).status).toBe(403);
      expect((await api.request(method, path)).status).toBe(401);
    }
  });

  it('serves repeated statements of TypeORM from prepared ones', async () => {
    for (let round = 0; round < 40; round += 1) await api.request('GET', '/v1/sources', { token });
    const rows = await api.platform.dataSource.query<{ prepared: number }[]>(
      `SELECT count(*)::int AS prepared FROM pg_prepared_statements WHERE name LIKE 'p\\_%'`,
    );
    expect(rows[0]?.prepared).toBeGreaterThan(0);
  });
});
