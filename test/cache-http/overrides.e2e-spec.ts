import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Caches } from '#libs/cache';
import { startTestApi, type TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';
import { msUntil } from './support/eventually.js';
import { PATIENT } from './support/patient.js';

const MIB = 1024 * 1024;

describe.each(['PostgreSQL', 'Redis'])('changes at run time, heard of by %s', (backplane) => {
  const own: Record<string, string> = {
    ...PATIENT,
    ...(backplane === 'Redis' ? { REDIS_URL: testRedisUrl() } : {}),
  };
  let a: TestApi;
  let b: TestApi;
  let token: string;

  beforeAll(async () => {
    a = await startTestApi(own);
    b = await beside();
    token = await a.login();
  });

  afterAll(async () => {
    await b.close();
    await a.close();
  });

  const beside = () => startTestApi({ ...own, DATABASE_URL: a.platform.databaseUrl });
  const patch = (path: string, body: object) =>
    a.request('PATCH', `/v1/perf/cache/${path}`, { token, body });

  async function maxBytesOf(api: TestApi): Promise<number> {
    const { body } = await api.request('GET', '/v1/perf/cache/levels', { token });
    return body.items[0].maxBytes as number;
  }

  it('reach the other instances, and are there after a restart', async () => {
    expect((await patch('levels/L1', { maxBytes: 40 * MIB })).status).toBe(200);
    await msUntil(async () => (await maxBytesOf(b)) === 40 * MIB);
    await b.close();
    b = await beside();
    expect(await maxBytesOf(b)).toBe(40 * MIB);
    await patch('levels/L1', { maxBytes: null });
    await msUntil(async () => (await maxBytesOf(b)) === 128 * MIB);
  });

  it('hold for a namespace that another instance opens later', async () => {
    a.app.get(Caches).open('test.late', { ttlMs: 60_000 });
    expect((await patch('namespaces/test.late', { ttlMs: 2_000 })).status).toBe(200);
    b.app.get(Caches).open('test.later');
    const { rule } = b.app.get(Caches).open('test.late', { ttlMs: 60_000 });
    await msUntil(() => b.app.get(Caches).find('test.late')?.rule.ttlMs === 2_000);
    expect(rule).toBeDefined();
    expect(b.app.get(Caches).find('test.later')?.rule.ttlMs).toBe(60_000);
  });

  it('do not keep one another from counting when one of them does not fit', async () => {
    await a.platform.dataSource.query(
      `INSERT INTO cache_override (name, value, updated_at) VALUES
         ('cache.noSuchSetting', '1', now()), ('cache.l3TtlMs', '"soon"', now()),
         ('namespace:test.bad', '{"jitter": 7}', now()), ('cache.l3TimeoutMs', '321', now())`,
    );
    await b.close();
    b = await beside();
    const { body } = await b.request('GET', '/v1/perf/cache/levels', { token });
    expect(body.items.at(-1)).toMatchObject({ level: 'L3', timeoutMs: 321, ttlMs: null });
    const faults = b.log.records.filter(({ part }) => part === 'overrides');
    expect(faults.length).toBeGreaterThan(0);
  });
});
