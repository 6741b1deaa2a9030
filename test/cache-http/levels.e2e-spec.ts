import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Cache, CacheHub, Caches } from '#libs/cache';
import { type ContextClient, contextClient } from '../context/context-fixtures.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';
import { cloneTemplate } from '../support/database.js';
import { freePort, startRedisServer, type TestRedis } from '../support/redis-server.js';
import { msUntil } from './support/eventually.js';
import { metricOf } from './support/metric.js';
import { PATIENT } from './support/patient.js';

const ORDERS = 'test.orders';

let database: Awaited<ReturnType<typeof cloneTemplate>>;
let redis: TestRedis;
let port: number;
let apis: TestApi[] = [];

beforeAll(async () => {
  database = await cloneTemplate();
  port = await freePort();
  redis = await startRedisServer(port);
});

afterAll(async () => {
  await redis.stop();
  await database.drop();
});

afterEach(async () => {
  await Promise.all(apis.map((api) => api.close()));
  apis = [];
});

async function start(): Promise<TestApi> {
  const api = await startTestApi({ ...PATIENT, DATABASE_URL: database.url, REDIS_URL: redis.url });
  apis.push(api);
  return api;
}

/** Ends an instance and starts another one, whose memory is empty. */
async function restart(api: TestApi): Promise<TestApi> {
  apis = apis.filter((one) => one !== api);
  await api.close();
  return start();
}

async function flush(): Promise<void> {
  const client = new Redis(redis.url);
  await client.flushdb();
  client.disconnect();
}

const levelOf = ({ headers }: TestAnswer): string | null => headers.get('x-cache');
const ordersOf = (api: TestApi, ttlMs = 60_000): Cache =>
  api.app.get(Caches).open(ORDERS, { ttlMs, jitter: 0 });
/** The first level looks at the clock every few milliseconds. */
async function pass(ms: number, ...on: readonly TestApi[]): Promise<void> {
  for (const api of on) api.clock.advance(ms);
  await sleep(30);
}

const drain = (api: TestApi): Promise<void> => api.app.get(CacheHub).drain();

describe('a compiled context, read over HTTP', () => {
  const PASSWORD = 'a long enough password';
  const EMAIL = 'levels@test.example';
  let api: TestApi;
  let client: ContextClient;
  let request: { readonly sources: readonly { readonly id: string }[] };
  let sources = 0;

  beforeEach(async () => {
    api = await start();
    await api.request('POST', '/v1/auth/register', { body: { email: EMAIL, password: PASSWORD } });
    client = await loggedIn(api);
    sources += 1;
    const name = `levels-${sources}`;
    await client.makeSource(name);
    await client.addEntry(name, { text: 'The only entry' });
    await client.post(`/v1/sources/${name}/consistency/repair`);
    request = { sources: [{ id: name }] };
    await client.compile(request);
    await drain(api);
  });

  async function loggedIn(to: TestApi): Promise<ContextClient> {
    return contextClient(to, await to.login({ email: EMAIL, password: PASSWORD }));
  }

  it('comes from L1 also when it is made while Redis is away', async () => {
    await redis.stop();
    try {
      const other = { ...request, texts: ['asked while Redis is away'] };
      await msUntil(async () => (await metricOf(api, 'cache_in_sync')) === 0);
      const first = await client.compile(other);
      const second = await client.compile(other);
      expect([first.status, levelOf(first), levelOf(second)]).toEqual([200, 'MISS', 'L1']);
      expect(second.body).toEqual(first.body);
      // What was in memory before may have been invalidated by others meanwhile: L3 is asked once.
      const known = [await client.compile(request), await client.compile(request)];
      expect(known.map(levelOf)).toEqual(['L3', 'L1']);
    } finally {
      redis = await startRedisServer(port);
    }
  });

  it('comes from L2 after a restart, and from L1 then', async () => {
    const before = await client.compile(request);
    api = await restart(api);
    client = await loggedIn(api);
    const hits = (level: string) =>
      metricOf(api, `cache_hits_total{level="${level}",namespace="context.compiled"}`);
    const second = await client.compile(request);
    expect([levelOf(second), second.body]).toEqual(['L2', before.body]);
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([0, 1, 0]);
    expect(levelOf(await client.compile(request))).toBe('L1');
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([1, 1, 0]);
  });

  it('comes from L3 after a restart and FLUSHDB, and fills the levels above', async () => {
    const before = await client.compile(request);
    api = await restart(api);
    await flush();
    client = await loggedIn(api);
    const third = await client.compile(request);
    expect([levelOf(third), third.body]).toEqual(['L3', before.body]);
    await drain(api);
    api = await restart(api);
    client = await loggedIn(api);
    expect(levelOf(await client.compile(request))).toBe('L2');
  });

  it('is compiled once for a hundred callers at one time', async () => {
    const other = { ...request, texts: ['something else'] };
    const series = 'cache_loads_total{namespace="context.compiled",outcome="stored"}';
    const loads = await metricOf(api, series);
    const answers = await Promise.all(Array.from({ length: 100 }, () => client.compile(other)));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await metricOf(api, series)) - loads).toBe(1);
  });
});

describe('an entry of the cache', () => {
  let a: TestApi;
  let b: TestApi;

  beforeEach(async () => {
    [a, b] = await Promise.all([start(), start()]);
  });

  it('ends everywhere when its life ends, also where it was promoted in between', async () => {
    await ordersOf(a, 2_000).set('promoted', 'value');
    await pass(1_500, a, b);
    const found = await ordersOf(b, 2_000).getEntry('promoted');
    expect(found).toMatchObject({ value: 'value', source: 'L2' });
    await drain(b);
    for (const { ttlLeftMs } of await ordersOf(b).keyInfo('promoted')) {
      expect(ttlLeftMs).toBeLessThanOrEqual(500);
    }
    await pass(600, a, b);
    const token = await b.login();
    const { body } = await b.request('GET', `/v1/perf/cache/keys/${ORDERS}:promoted`, { token });
    expect(body.levels.filter(({ state }: { state: string }) => state === 'fresh')).toEqual([]);
    expect(body.found).toBe(false);
    for (const api of [a, b]) expect(await ordersOf(api).getEntry('promoted')).toBeUndefined();
  });

  it('stands in all levels, each with its life and bytes', async () => {
    const cache = a.app.get(Caches).open('test.limited', {
      ttlMs: 60_000,
      jitter: 0,
      levelTtlMs: { L1: 10_000, L2: 30_000 },
    });
    await cache.set('a', { text: 'x'.repeat(100) });
    const token = await a.login();
    const { body } = await a.request('GET', '/v1/perf/cache/keys/test.limited:a', { token });
    const lives = body.levels.map(({ level, ttlLeftMs }: { level: string; ttlLeftMs: number }) => [
      level,
      Math.ceil(ttlLeftMs / 10_000),
    ]);
    expect(lives).toEqual([
      ['L1', 1],
      ['L2', 3],
      ['L3', 6],
    ]);
    for (const { bytes } of body.levels) expect(bytes).toBeGreaterThan(100);
  });

  it('says that there is nothing, which is not the same as null', async () => {
    const cache = ordersOf(a);
    await cache.set('null', null);
    expect(await cache.getEntry('null')).toMatchObject({ value: null });
    expect(await cache.getEntry('nothing')).toBeUndefined();
  });

  it('remembers for a while that there is nothing, so that the database is asked once', async () => {
    const cache = a.app.get(Caches).open('test.absent', { absentTtlMs: 5_000, jitter: 0 });
    const sql = `SELECT text AS never_there FROM context_entry WHERE id = $1`;
    const find = async () => {
      const rows = await a.platform.dataSource.query<{ never_there: string }[]>(sql, [
        '01900000-0000-7000-8000-0000000fffff',
      ]);
      return rows[0]?.never_there;
    };
    const series = (outcome: string) =>
      metricOf(a, `cache_loads_total{namespace="test.absent",outcome="${outcome}"}`);
    for (let at = 0; at < 25; at += 1)
      expect(await cache.getOrSet('unknown', find)).toBeUndefined();
    expect((await series('stored')) + (await series('absent'))).toBe(1);
    await pass(6_000, a);
    await cache.getOrSet('unknown', find);
    expect((await series('stored')) + (await series('absent'))).toBe(2);
  });

  it('that is written on one instance is read on the other within 100 ms', async () => {
    const [onA, onB] = [ordersOf(a), ordersOf(b)];
    let best = Number.POSITIVE_INFINITY;
    for (let at = 0; at < 10; at += 1) {
      await onA.set('shared', `old ${at}`);
      expect(await onB.get('shared')).toBe(`old ${at}`);
      const startedMs = performance.now();
      const { acknowledged } = await onA.set('shared', `new ${at}`);
      // What was acknowledged is seen at once; it is not a matter of waiting.
      expect([acknowledged, await onB.get('shared')]).toEqual([true, `new ${at}`]);
      best = Math.min(best, performance.now() - startedMs);
    }
    expect(best).toBeLessThan(100);
  });

  it('is served, and marked, when it is stale and cannot be loaded', async () => {
    const cache = a.app.get(Caches).open('test.stale', {
      ttlMs: 1_000,
      staleMs: 60_000,
      jitter: 0,
    });
    await cache.set('a', 'old');
    await pass(2_000, a);
    const failing = () => Promise.reject(new Error('the database is away'));
    const answer = await cache.getOrSetEntry('a', failing);
    expect(answer).toMatchObject({ value: 'old', source: 'STALE' });
    expect(await metricOf(a, 'cache_hits_total{level="STALE",namespace="test.stale"}')).toBe(1);
  });

  it('is not brought back by a load that began before it was invalidated', async () => {
    const rows = a.platform.dataSource;
    await rows.query('CREATE TABLE IF NOT EXISTS test_price (id int PRIMARY KEY, price int)');
    await rows.query('INSERT INTO test_price VALUES (1, 10) ON CONFLICT DO NOTHING');
    const read = async (): Promise<number> => {
      const [row] = await rows.query<{ price: number }[]>('SELECT price FROM test_price');
      return row?.price ?? Number.NaN;
    };
    for (const [reader, writer] of [
      [a, a],
      [a, b],
      [b, a],
    ] as const) {
      for (const how of ['key', 'tag', 'namespace'] as const) {
        const price = (await read()) + 1;
        const cache = ordersOf(reader);
        await cache.delete('price');
        let finish = (): void => undefined;
        const waiting = new Promise<void>((resolve) => {
          finish = resolve;
        });
        let hasRead = false;
        const slow = async (): Promise<number> => {
          const old = await read();
          hasRead = true;
          await waiting;
          return old;
        };
        const reading = cache.getOrSet('price', slow, { tags: ['prices'] });
        await msUntil(() => hasRead);
        await rows.query('UPDATE test_price SET price = $1', [price]);
        const caches = writer.app.get(Caches);
        const receipt = await (how === 'key'
          ? ordersOf(writer).delete('price')
          : how === 'tag'
            ? caches.invalidateTags(['prices'])
            : caches.clearNamespace(ORDERS));
        expect(receipt.acknowledged).toBe(true);
        finish();
        expect(await reading).toBe(price - 1);
        await Promise.all([drain(a), drain(b)]);
        for (const api of [a, b]) {
          expect([how, await ordersOf(api).getOrSet('price', read)]).toEqual([how, price]);
        }
      }
    }
  });

  it('is found again, and levels are in sync again, after Redis was away', async () => {
    const cache = ordersOf(a);
    await cache.set('a', 'value');
    await redis.stop();
    const token = await a.login();
    try {
      for (let at = 0; at < 12; at += 1) {
        expect(await cache.getOrSet(`cold-${at}`, () => at)).toBe(at);
      }
      const levels = async () =>
        (await a.request('GET', '/v1/perf/cache/levels', { token })).body.items;
      expect((await levels())[1]).toMatchObject({ level: 'L2', breaker: 'open' });
      expect(await metricOf(a, 'cache_breaker_state{level="L2"}')).toBe(2);
      expect(await metricOf(a, 'cache_tier_calls_total{level="L2",outcome="skipped"}')).not.toBe(0);
      const warnings = a.log.records.filter(
        ({ module, level }) => module === 'cache' && level === 'warn',
      );
      expect(warnings.length).toBeGreaterThan(0);
      expect(warnings.length).toBeLessThan(20);
    } finally {
      redis = await startRedisServer(port);
    }
    await msUntil(async () => {
      await cache.getOrSet(`again-${Math.random()}`, () => 1);
      return (await metricOf(a, 'cache_breaker_state{level="L2"}')) === 0;
    }, 20_000);
    await msUntil(async () => (await metricOf(a, 'cache_in_sync')) === 1, 20_000);
  });
});
