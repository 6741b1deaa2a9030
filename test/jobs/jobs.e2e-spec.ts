import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { JobQueue, purgeExpired } from '#libs/jobs';
import { until } from '../../libs/jobs/src/testing/jobs-harness.js';
import { testRedisUrl } from '../support/database.js';
import { startTestApi, type TestApi } from '../support/app.js';

describe.each([
  ['PostgreSQL', () => ({})],
  [
    'Redis',
    () => ({
      REDIS_URL: testRedisUrl(),
      PANTHEON_REDIS_KEY_PREFIX: `e2e-${process.pid}-${Date.now()}`,
    }),
  ],
])('/v1/jobs with jobs on %s', (_, settings) => {
  let api: TestApi;
  let administrator: string;
  let member: string;

  beforeAll(async () => {
    api = await startTestApi(settings());
    administrator = await api.login();
    member = await api.register('member@test.example');
  });

  afterAll(() => api.close());

  const get = (path: string, token = administrator) => api.request('GET', path, { token });

  async function enqueuePurge(): Promise<string> {
    const queue = api.app.get(JobQueue);
    const { id } = await queue.enqueue(purgeExpired, {});
    return id;
  }

  it('lists the schedule of the purge', async () => {
    await until(
      async () => (await get('/v1/jobs/schedulers')).body.items.length > 0,
      'it is there',
    );
    const { body } = await get('/v1/jobs/schedulers');
    expect(body.items).toContainEqual({
      id: 'purge-expired',
      job: 'purge-expired',
      queue: 'maintenance',
      recurrence: { everyMs: 3_600_000 },
      nextRunAt: expect.stringMatching(/^\d{4}-/),
      runs: expect.any(Number),
      declared: true,
    });
  });

  it('runs a purge in this process and shows what it deleted', async () => {
    await api.platform.dataSource.query(
      `INSERT INTO idempotency_key (owner_id, route, key, request_hash, expires_at)
       SELECT gen_random_uuid(), 'r', n::text, 'h', now() - interval '1 second'
       FROM generate_series(1, 2500) AS n`,
    );
    const id = await enqueuePurge();
    await until(async () => (await get(`/v1/jobs/${id}`)).body.state === 'completed', 'it is done');
    const { body } = await get(`/v1/jobs/${id}`);
    expect(body).toMatchObject({
      id,
      name: 'purge-expired',
      queue: 'maintenance',
      state: 'completed',
      attempts: 1,
      maxAttempts: 3,
      payload: {},
      result: { 'http.idempotency_key': 2_500 },
      failedReason: null,
      stack: [],
    });
    expect(Date.parse(body.finishedAt)).toBeGreaterThanOrEqual(Date.parse(body.startedAt));
    const [{ count }] = await api.platform.dataSource.query('SELECT count(*) FROM idempotency_key');
    expect(count).toBe('0');
  });

  it('pages through jobs by state and name', async () => {
    const ids = [await enqueuePurge(), await enqueuePurge(), await enqueuePurge()];
    for (const id of ids) {
      await until(async () => (await get(`/v1/jobs/${id}`)).body.state === 'completed', 'done');
    }
    const seen: string[] = [];
    let path = '/v1/jobs?state=completed&name=purge-expired&limit=2';
    for (let cursor: string | null = ''; cursor !== null;) {
      const { status, body } = await get(cursor === '' ? path : `${path}&cursor=${cursor}`);
      expect(status).toBe(200);
      seen.push(...body.items.map((job: { id: string }) => job.id));
      cursor = body.nextCursor;
    }
    expect(seen).toEqual(expect.arrayContaining(ids));
    expect(new Set(seen).size).toBe(seen.length);
    path = '/v1/jobs?state=failed';
    expect((await get(path)).body).toEqual({ items: [], nextCursor: null });
  });

  it('runs a finished job again, and answers 409 while it has not finished', async () => {
    const id = await enqueuePurge();
    await until(async () => (await get(`/v1/jobs/${id}`)).body.state === 'completed', 'done');
    const again = await api.request('POST', `/v1/jobs/${id}/retry`, { token: administrator });
    expect(again.status).toBe(200);
    await until(async () => (await get(`/v1/jobs/${id}`)).body.state === 'completed', 'done again');
    const { body } = await get('/v1/jobs?state=delayed');
    const waiting = body.items[0].id as string;
    const refused = await api.request('POST', `/v1/jobs/${waiting}/retry`, {
      token: administrator,
    });
    expect([refused.status, refused.body.code]).toEqual([409, 'JOB_NOT_FINISHED']);
  });

  it('answers 404 for a job that is not there, and 400 for what makes no sense', async () => {
    expect((await get('/v1/jobs/nothing')).body.code).toBe('JOB_NOT_FOUND');
    expect((await get('/v1/jobs?state=lost')).status).toBe(400);
    expect((await get('/v1/jobs?cursor=bm90aGluZw')).body.code).toBe('CURSOR_INVALID');
  });

  it('is closed to callers without a token and without the permission', async () => {
    for (const path of ['/v1/jobs', '/v1/jobs/schedulers', '/v1/jobs/some-id']) {
      expect((await api.request('GET', path)).status).toBe(401);
      expect((await get(path, member)).status).toBe(403);
    }
    const id = await enqueuePurge();
    const retry = await api.request('POST', `/v1/jobs/${id}/retry`, { token: member });
    expect(retry.status).toBe(403);
  });
});
