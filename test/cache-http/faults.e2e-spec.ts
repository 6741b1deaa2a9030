import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { CacheHub, Caches } from '#libs/cache';
import { makePantheonPersistenceAdapter } from '#libs/context';
import { type ContextClient, contextClient } from '../context/context-fixtures.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';
import { startRedisServer, type TestRedis } from '../support/redis-server.js';
import { msUntil } from './support/eventually.js';
import { metricOf } from './support/metric.js';
import { PATIENT } from './support/patient.js';

let redis: TestRedis;
let api: TestApi;
let ann: ContextClient;
let bob: ContextClient;

beforeAll(async () => {
  redis = await startRedisServer();
  api = await startTestApi({ ...PATIENT, REDIS_URL: redis.url });
  [ann, bob] = (await Promise.all(
    ['ann', 'bob'].map(async (name) =>
      contextClient(api, await api.register(`${name}@test.example`)),
    ),
  )) as [ContextClient, ContextClient];
});

afterAll(async () => {
  await api.close();
  await redis.stop();
});

const levelOf = ({ headers }: TestAnswer): string | null => headers.get('x-cache');

describe('faults that a naive cache has', () => {
  it('F3: a hundred misses at one time are one load', async () => {
    await ann.makeSource('f3');
    const series = 'cache_loads_total{namespace="api.source",outcome="stored"}';
    const before = await metricOf(api, series);
    const answers = await Promise.all(Array.from({ length: 100 }, () => ann.get('/v1/sources/f3')));
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200]));
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
    expect((await metricOf(api, series)) - before).toBe(1);
  });

  it.each([0, '', false, null, Number.NaN, 0n, []])(
    'F4: %p is a value, not a miss',
    async (value) => {
      const cache = api.app.get(Caches).open('test.f4', { freeze: false });
      const key = `${typeof value}:${String(value)}`;
      let loads = 0;
      const load = () => {
        loads += 1;
        return value;
      };
      for (let at = 0; at < 3; at += 1) expect(await cache.getOrSet(key, load)).toEqual(value);
      expect(loads).toBe(1);
      // The levels outside the process tell it from nothing as well.
      await api.app.get(CacheHub).drain();
      const { levels } = await inspect(`test.f4:${key}`);
      expect(levels.map(({ level }) => level)).toEqual(['L1', 'L2', 'L3']);
    },
  );

  it('F7: a cache of ten holds ten, and the order of what it is asked for does not matter', async () => {
    let fetches = 0;
    const adapter = makePantheonPersistenceAdapter(
      {
        getStoreManagers: () => {
          fetches += 1;
          return Promise.resolve([]);
        },
      },
      { ttl: 60_000, maxSize: 10 },
    );
    const sources = Array.from({ length: 50 }, (_, at) => ({
      id: `source-${at}`,
      label: 'source',
    }));
    for (const source of sources) await adapter.compile({ sources: [source] });
    expect(adapter.getCacheMetrics().currentSize).toBeLessThanOrEqual(10);
    const [one, two] = sources.slice(-2) as [(typeof sources)[0], (typeof sources)[0]];
    await adapter.compile({ sources: [one, two] });
    const before = fetches;
    await adapter.compile({ sources: [two, one] });
    expect(fetches).toBe(before);
    const bounded = api.app.get(Caches).open('test.f7', { maxItems: 10 });
    for (let at = 0; at < 50; at += 1) await bounded.set(`${at}`, at);
    expect(bounded.statistics().items).toBe(10);
  });

  it('F8: each caller gets their own answer, whole, also from the cache', async () => {
    for (const [client, description] of [
      [ann, 'of Ann'],
      [bob, 'of Bob'],
    ] as const) {
      await client.makeSource('f8', { kind: description === 'of Ann' ? 'document' : 'log' });
    }
    const [first, second] = await Promise.all([
      ann.get('/v1/sources/f8'),
      bob.get('/v1/sources/f8'),
    ]);
    expect([first.body.kind, second.body.kind]).toEqual(['document', 'log']);
    const cached = [await ann.get('/v1/sources/f8'), await bob.get('/v1/sources/f8')];
    expect(cached.map(levelOf)).toEqual(['L1', 'L1']);
    for (const [at, answer] of [first, second].entries()) {
      const again = cached[at] as TestAnswer;
      expect([again.status, again.body]).toEqual([answer.status, answer.body]);
      for (const name of ['content-type', 'etag', 'content-length']) {
        expect([name, again.headers.get(name)]).toEqual([name, answer.headers.get(name)]);
      }
      expect(again.headers.get('cache-control')).toMatch(/private/);
    }
    // Who is not known gets nothing of it.
    expect((await api.request('GET', '/v1/sources/f8')).status).toBe(401);
  });

  it('F9: keys are evicted by tag, and no command of Redis walks over keys', async () => {
    const cache = api.app.get(Caches).open('test.f9');
    const long = 'a key so long that only its digest is stored: '.padEnd(600, 'x');
    for (let at = 0; at < 50; at += 1) {
      await cache.set(`${long}${at}`, at, { tags: [at % 2 === 0 ? 'even' : 'odd'] });
    }
    const client = new Redis(redis.url);
    await client.config('RESETSTAT');
    const token = await api.login();
    const answer = await api.request('POST', '/v1/perf/cache/invalidate', {
      token,
      body: { tags: ['even'] },
    });
    expect(answer.body).toEqual({ acknowledged: true, scope: 'tags' });
    const left = await cache.getMany(Array.from({ length: 50 }, (_, at) => `${long}${at}`));
    expect([...left.values()].every((value) => (value as number) % 2 === 1)).toBe(true);
    expect(left.size).toBe(25);
    const used = await client.info('commandstats');
    client.disconnect();
    expect(used).toMatch(/cmdstat_publish/);
    expect(used).not.toMatch(/cmdstat_(keys|scan|flushdb)\b/);
  });

  it('F20: promotion prolongs no life, and no load brings back what was invalidated', async () => {
    const cache = api.app
      .get(Caches)
      .open('test.f20', { ttlMs: 60_000, jitter: 0, levelTtlMs: { L1: 50 } });
    await cache.set('promoted', 'value');
    const endsBefore = Date.now() + 60_000;
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await cache.getEntry('promoted')).toMatchObject({ source: 'L2', value: 'value' });
    for (const { ttlLeftMs } of (await inspect('test.f20:promoted')).levels) {
      expect(Date.now() + ttlLeftMs).toBeLessThanOrEqual(endsBefore + 50);
    }
    let stored = 'old';
    let finish: (() => void) | undefined;
    const reading = cache.getOrSet('raced', async () => {
      const read = stored;
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return read;
    });
    await msUntil(() => finish !== undefined);
    stored = 'new';
    expect((await cache.delete('raced')).acknowledged).toBe(true);
    finish?.();
    expect(await reading).toBe('old');
    expect(await cache.getOrSet('raced', () => stored)).toBe('new');
  });

  async function inspect(key: string): Promise<{ levels: { level: string; ttlLeftMs: number }[] }> {
    const token = await api.login();
    const path = `/v1/perf/cache/keys/${encodeURIComponent(key)}`;
    const { body } = await api.request('GET', path, { token });
    return body as { levels: { level: string; ttlLeftMs: number }[] };
  }
});
