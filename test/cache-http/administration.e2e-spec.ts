import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type Cache, CacheHub, Caches } from '#libs/cache';
import { newId } from '#libs/core';
import { startTestApi, type TestApi } from '../support/app.js';
import { PATIENT } from './support/patient.js';

const BASE = '/v1/perf/cache';
const MIB = 1024 * 1024;

let api: TestApi;
let token: string;
let reader: string;
let caches: Caches;

beforeAll(async () => {
  api = await startTestApi(PATIENT);
  token = await api.login();
  caches = api.app.get(Caches);
});

afterAll(() => api.close());

const get = (path: string) => api.request('GET', BASE + path, { token });

function open(name: string, options: Parameters<Caches['open']>[1] = {}): Cache {
  return caches.open(name, { jitter: 0, ...options });
}

describe('GET /v1/perf/cache/stats', () => {
  it('counts hits, misses, sets, deletes, size and bytes by level and by namespace', async () => {
    const cache = open('test.stats');
    await cache.set('a', 'value');
    await cache.getOrSet('a', () => 'other');
    await cache.getOrSet('b', () => 'b');
    await api.app.get(CacheHub).drain();
    await cache.delete('b');
    const { status, body } = await get('/stats');
    expect(status).toBe(200);
    expect(body.levels.map(({ level }: { level: string }) => level)).toEqual(['L1', 'L3']);
    const own = body.namespaces.find(({ name }: { name: string }) => name === 'test.stats');
    expect(own).toMatchObject({ hits: 1, misses: 1, hitRatio: 0.5, loads: 1, items: 1 });
    expect(own.bytes).toBeGreaterThan(100);
    for (const level of body.levels) {
      expect(level.sets).toBeGreaterThan(0);
      expect(level.deletes).toBeGreaterThan(0);
      expect(level.bytes).toBeGreaterThan(0);
    }
  });
});

describe('/v1/perf/cache/keys', () => {
  it.each([
    ['zero', 0],
    ['empty text', ''],
    ['false', false],
    ['null', null],
  ])('keeps %s as a value, and deletes it from every level', async (name, value) => {
    const cache = open('test.values');
    await cache.set(name, value);
    const before = await get(`/keys/test.values:${encodeURIComponent(name)}?value=true`);
    expect(before.body).toMatchObject({ found: true, value });
    expect(before.body.levels).toMatchObject([
      { level: 'L1', state: 'fresh', bytes: expect.any(Number) },
      { level: 'L3', state: 'fresh', bytes: expect.any(Number) },
    ]);
    for (const { ttlLeftMs } of before.body.levels) {
      expect(ttlLeftMs).toBeGreaterThan(50_000);
      expect(ttlLeftMs).toBeLessThanOrEqual(60_000);
    }
    let loads = 0;
    await cache.getOrSet(name, () => (loads += 1));
    expect(loads).toBe(0);
    const path = `${BASE}/keys/${encodeURIComponent(name)}?namespace=test.values`;
    const deleted = await api.request('DELETE', path, { token });
    expect(deleted).toMatchObject({ status: 200, body: { acknowledged: true, scope: 'keys' } });
    const after = await get(`/keys/${encodeURIComponent(name)}?namespace=test.values`);
    expect(after.body).toMatchObject({ found: false, levels: [] });
    await cache.getOrSet(name, () => (loads += 1));
    expect(loads).toBe(1);
  });

  it('shows no value of a session, to nobody', async () => {
    await open('test.session', { kind: 'session' }).set('a', 'secret');
    const answer = await get('/keys/test.session:a?value=true');
    expect(answer).toMatchObject({ status: 403, body: { code: 'CACHE_VALUE_FORBIDDEN' } });
    expect((await get('/keys/test.session:a')).body.found).toBe(true);
  });

  it('tells why it does not show a value', async () => {
    const cache = open('test.shown');
    await cache.set('large', 'x'.repeat(100_000));
    await cache.set('bytes', { body: Buffer.from('hello'), big: 7n });
    expect((await get('/keys/test.shown:large?value=true')).body.valueOmitted).toMatch(/100002/);
    expect((await get('/keys/test.shown:bytes?value=true')).body.value).toEqual({
      body: { bytes: 5 },
      big: '7n',
    });
    expect((await get('/keys/test.shown:none?value=true')).body.valueOmitted).toMatch(/no fresh/);
  });

  it('knows no key of a namespace that is not open', async () => {
    const answer = await get('/keys/nobody:a');
    expect(answer).toMatchObject({ status: 404, body: { code: 'CACHE_NAMESPACE_UNKNOWN' } });
    expect((await get('/keys/a')).status).toBe(404);
  });
});

describe('/v1/perf/cache/levels', () => {
  it('describes each level', async () => {
    const { items } = (await get('/levels')).body;
    expect(items).toMatchObject([
      { level: 'L1', type: 'memory', ttlMs: null, maxBytes: 128 * MIB, breaker: null },
      { level: 'L3', type: 'postgres', ttlMs: null, timeoutMs: 10_000, breaker: 'closed' },
    ]);
  });

  it('shrinks the first level at once, and goes back to the setting', async () => {
    const cache = open('test.shrink');
    for (let at = 0; at < 100; at += 1) await cache.getOrSet(`${at}`, () => 'x'.repeat(20_000));
    expect(cache.statistics().bytes).toBeGreaterThan(MIB);
    const patched = await api.request('PATCH', `${BASE}/levels/L1`, {
      token,
      body: { maxBytes: MIB },
    });
    expect(patched).toMatchObject({ status: 200, body: { maxBytes: MIB, changed: ['maxBytes'] } });
    expect(patched.body.bytes).toBeLessThanOrEqual(MIB);
    expect(cache.statistics().bytes).toBeLessThan(MIB);
    const back = await api.request('PATCH', `${BASE}/levels/L1`, {
      token,
      body: { maxBytes: null },
    });
    expect(back.body).toMatchObject({ maxBytes: 128 * MIB, changed: [] });
  });

  it('limits the life in a level, and takes a level out of use', async () => {
    const cache = open('test.limits');
    const change = (body: object) => api.request('PATCH', `${BASE}/levels/L3`, { token, body });
    await change({ ttlMs: 5_000, timeoutMs: 400 });
    await cache.set('a', 1);
    const [, third] = (await get('/keys/test.limits:a')).body.levels;
    expect(third.ttlLeftMs).toBeLessThanOrEqual(5_000);
    expect((await change({ enabled: false })).body).toMatchObject({
      enabled: false,
      timeoutMs: 400,
      changed: ['ttlMs', 'timeoutMs', 'enabled'],
    });
    await cache.set('b', 1);
    expect((await get('/keys/test.limits:b')).body.levels).toMatchObject([{ level: 'L1' }]);
    const back = await change({ ttlMs: null, timeoutMs: null, enabled: null });
    expect(back.body).toMatchObject({ enabled: true, ttlMs: null, timeoutMs: 10_000, changed: [] });
  });

  it.each([
    ['L2', { ttlMs: 5 }, 404, 'CACHE_LEVEL_UNKNOWN', undefined],
    ['L3', { maxBytes: 5 * MIB }, 400, 'CACHE_LEVEL_FIXED', 'body.maxBytes'],
    ['L1', { maxBytes: 5 }, 400, 'VALIDATION_FAILED', 'body.maxBytes'],
    ['L1', { maxbytes: 5 * MIB }, 400, 'VALIDATION_FAILED', 'body'],
    ['L1', {}, 400, 'VALIDATION_FAILED', 'body'],
    ['L9', { ttlMs: 5 }, 400, 'VALIDATION_FAILED', 'path.level'],
  ])('refuses for %s %j', async (level, body, status, code, path) => {
    const answer = await api.request('PATCH', `${BASE}/levels/${level}`, { token, body });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.errors?.[0]?.path).toBe(path);
  });
});

describe('/v1/perf/cache/namespaces', () => {
  it('lists kind, rule, bytes and hit ratio', async () => {
    const cache = open('test.rules', {
      kind: 'content',
      ttlMs: 7_000,
      jitter: 0.2,
      absentTtlMs: 9,
    });
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('a', () => 1);
    expect((await get('/namespaces/test.rules')).body).toMatchObject({
      name: 'test.rules',
      kind: 'content',
      rule: { ttlMs: 7_000, jitter: 0.2, maxTtlMs: 86_400_000, absentTtlMs: 9 },
      changed: {},
      hitRatio: 0.5,
    });
    const { items, omitted } = (await get('/namespaces')).body;
    expect(items.map(({ name }: { name: string }) => name)).toContain('test.rules');
    expect(omitted).toBe(0);
  });

  it('changes the rule of a namespace, and goes back to what the code says', async () => {
    const cache = open('test.changed', { ttlMs: 60_000, maxItems: 500 });
    const change = (body: object) =>
      api.request('PATCH', `${BASE}/namespaces/test.changed`, { token, body });
    const changed = await change({ ttlMs: 1_000, maxItems: 3 });
    expect(changed.body).toMatchObject({
      rule: { ttlMs: 1_000, jitter: 0 },
      changed: { ttlMs: 1_000, maxItems: 3 },
      maxItems: 3,
    });
    for (let at = 0; at < 9; at += 1) await cache.set(`${at}`, at);
    expect(cache.statistics().items).toBe(3);
    const [level] = await cache.keyInfo('8');
    expect(level?.ttlLeftMs).toBeLessThanOrEqual(1_000);
    expect((await change({ ttlMs: null })).body).toMatchObject({
      rule: { ttlMs: 60_000 },
      changed: { maxItems: 3 },
    });
    expect((await change({ maxItems: null })).body).toMatchObject({ changed: {}, maxItems: 500 });
    expect((await change({ jitter: 3 })).body.errors[0].path).toBe('body.jitter');
    expect((await change({})).status).toBe(400);
    const unknown = await api.request('PATCH', `${BASE}/namespaces/nobody`, {
      token,
      body: { ttlMs: 5 },
    });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'CACHE_NAMESPACE_UNKNOWN' } });
  });

  it('spreads the ends of entries that are written together', async () => {
    const cache = open('test.spread', { ttlMs: 60_000, jitter: 0.2, useTiers: false });
    await cache.setMany(Array.from({ length: 1_000 }, (_, at) => [`${at}`, at] as const));
    const lives: number[] = [];
    for (let at = 0; at < 1_000; at += 1) {
      lives.push((await cache.keyInfo(`${at}`))[0]?.ttlLeftMs ?? Number.NaN);
    }
    expect(Math.max(...lives) - Math.min(...lives)).toBeGreaterThan(9_000);
    expect(Math.max(...lives)).toBeLessThanOrEqual(60_000);
    expect(new Set(lives.map((life) => Math.floor(life / 1_000))).size).toBeGreaterThan(8);
  });

  it('clears a namespace', async () => {
    const cache = open('test.cleared');
    await cache.set('a', 1);
    const answer = await api.request('DELETE', `${BASE}/namespaces/test.cleared`, { token });
    expect(answer.body).toEqual({ acknowledged: true, scope: 'namespace' });
    expect(await cache.get('a')).toBeUndefined();
    expect((await api.request('DELETE', `${BASE}/namespaces/nobody`, { token })).status).toBe(404);
  });
});

describe('POST /v1/perf/cache/invalidate', () => {
  const invalidate = (body: unknown) => api.request('POST', `${BASE}/invalidate`, { token, body });

  it('invalidates by tag, by key, by prefix and by namespace', async () => {
    const cache = open('test.invalidated');
    const fill = async (): Promise<void> => {
      await cache.set('order:1', 1, { tags: ['order'] });
      await cache.set('order:2', 2);
      await cache.set('other', 3);
    };
    const left = async (): Promise<string[]> => [
      ...(await cache.getMany(['order:1', 'order:2', 'other'])).keys(),
    ];
    await fill();
    expect((await invalidate({ tags: ['order'] })).body).toEqual({
      acknowledged: true,
      scope: 'tags',
    });
    expect(await left()).toEqual(['order:2', 'other']);
    await fill();
    const byKeys = await invalidate({ namespace: 'test.invalidated', keys: ['order:2'] });
    expect(byKeys.body).toEqual({ acknowledged: true, scope: 'keys' });
    expect(await left()).toEqual(['order:1', 'other']);
    await fill();
    const byPrefix = await invalidate({ namespace: 'test.invalidated', prefix: 'order:' });
    expect(byPrefix.body).toEqual({ acknowledged: true, scope: 'namespace' });
    expect(await left()).toEqual([]);
    await fill();
    expect((await invalidate({ namespace: 'test.invalidated' })).body.scope).toBe('namespace');
    expect(await left()).toEqual([]);
  });

  it.each([
    [{}, 'body.namespace'],
    [{ keys: ['a'] }, 'body.namespace'],
    [{ tags: ['a'], namespace: 'b' }, 'body.namespace'],
    [{ namespace: 'b', keys: ['a'], prefix: 'a' }, 'body.prefix'],
    [{ namespace: 'a:b' }, 'body.namespace'],
    [{ tags: [] }, 'body.tags'],
    [{ tags: Array.from({ length: 1_001 }, String) }, 'body.tags'],
    [{ everything: true }, 'body'],
    [[], 'body'],
  ])('refuses %j', async (body, path) => {
    const answer = await invalidate(body);
    expect(answer).toMatchObject({ status: 400, body: { code: 'VALIDATION_FAILED' } });
    expect(answer.body.errors[0].path).toBe(path);
  });

  it('clears everything on DELETE', async () => {
    const cache = open('test.everything');
    await cache.set('a', 1);
    const answer = await api.request('DELETE', BASE, { token });
    expect(answer).toMatchObject({
      status: 200,
      body: { acknowledged: true, scope: 'everything' },
    });
    expect(await cache.get('a')).toBeUndefined();
  });
});

describe('POST /v1/perf/cache/sweep', () => {
  it('counts what it removes from each level', async () => {
    const cache = open('test.sweep', { ttlMs: 1_000 });
    await api.request('POST', `${BASE}/sweep`, { token });
    await cache.setMany(Array.from({ length: 50 }, (_, at) => [`${at}`, at] as const));
    api.clock.advance(2_000);
    const { status, body } = await api.request('POST', `${BASE}/sweep`, { token });
    expect(status).toBe(200);
    const removed = Object.fromEntries(
      body.items.map((one: { level: string; removed: number }) => [one.level, one.removed]),
    );
    expect(removed['L1']).toBeGreaterThanOrEqual(50);
    expect(removed['L3']).toBeGreaterThanOrEqual(0);
    const metrics = String((await api.request('GET', '/metrics')).body);
    expect(
      valueOf(metrics, 'cache_evictions_total{level="L1",namespace="test.sweep",reason="expired"}'),
    ).toBeGreaterThanOrEqual(50);
  });
});

describe('GET /v1/perf/cache/managers', () => {
  it('lists five kinds with figures that follow from their counts', async () => {
    const cache = open('test.managed', { kind: 'database' });
    for (let at = 0; at < 5_000; at += 1) await cache.getOrSet(`${at % 50}`, () => 'x'.repeat(99));
    const { items } = (await get('/managers')).body;
    expect(items.map(({ kind }: { kind: string }) => kind)).toEqual([
      'application',
      'database',
      'api',
      'content',
      'session',
    ]);
    for (const { counts, ...figures } of items) {
      const or = (part: number, whole: number) => (whole > 0 ? part / whole : null);
      expect(figures.hitRatio).toEqual(or(counts.hits, counts.reads));
      expect(figures.meanLatencyMs).toEqual(or(counts.lookUpMs + counts.loadMs, counts.reads));
      expect(figures.hitsPerMebibyte).toEqual(or(counts.l1Hits, counts.bytes / MIB));
      expect(figures.savedPerCacheSecond).toEqual(or(counts.loadTimeSavedMs, counts.lookUpMs));
    }
    const [, database] = items;
    const namespaces = (await get('/namespaces')).body.items.filter(
      ({ kind }: { kind: string }) => kind === 'database',
    );
    const sum = (of: (one: Record<string, number>) => number): number =>
      namespaces.reduce((total: number, one: Record<string, number>) => total + of(one), 0);
    expect(database.namespaces).toContain('test.managed');
    expect(database.counts).toMatchObject({
      reads: sum(({ hits = 0, misses = 0 }) => hits + misses),
      hits: sum(({ hits = 0 }) => hits),
      loads: sum(({ loads = 0 }) => loads),
      items: sum(({ items: count = 0 }) => count),
      bytes: sum(({ bytes = 0 }) => bytes),
    });
    const own = namespaces.find(({ name }: { name: string }) => name === 'test.managed');
    expect(own).toMatchObject({ hits: 4_950, misses: 50, loads: 50, items: 50, hitRatio: 0.99 });
    expect(database.budgetBytes).toBe(32 * MIB);
  });
});

describe('GET /v1/perf/cache/misses and /hot', () => {
  it('names the keys that are missed most and read most', async () => {
    const cache = open('test.keys');
    for (let at = 0; at < 30; at += 1) {
      await cache.get('absent');
      await cache.get(`absent-${at}`);
    }
    await cache.set('popular', 1);
    for (let at = 0; at < 2_000; at += 1) await cache.getOrSet('popular', () => 1);
    const misses = (await get('/misses?top=1&namespace=test.keys')).body.items;
    expect(misses).toMatchObject([{ namespace: 'test.keys', key: 'absent', misses: 30 }]);
    const [hot] = (await get('/hot?top=5&namespace=test.keys')).body.items;
    expect(hot).toMatchObject({ key: 'popular', digest: expect.stringMatching(/^[\da-f]{16}$/) });
    expect(hot.hits).toBeGreaterThan(1_500);
    expect((await get('/misses?top=0')).status).toBe(400);
    expect((await get('/hot?top=201')).body.errors[0].path).toBe('query.top');
    expect((await get('/hot?limit=5')).status).toBe(400);
  });
});

describe('who may use these routes', () => {
  const READS = [
    'stats',
    'levels',
    'namespaces',
    'managers',
    'misses',
    'hot',
    'keys/test.values:a',
  ];

  beforeAll(async () => {
    reader = await readerToken();
  });

  it('asks for a token, and for the permission', async () => {
    const member = await api.register('cache-member@test.example');
    for (const path of READS) {
      expect((await api.request('GET', `${BASE}/${path}`)).status).toBe(401);
      const { status, body } = await api.request('GET', `${BASE}/${path}`, { token: member });
      expect([path, status, body.code]).toEqual([path, 403, 'AUTH_PERMISSION_DENIED']);
    }
  });

  it('lets readers read, without keys and values, and change nothing', async () => {
    open('test.values');
    await caches.find('test.values')?.get('private');
    for (const path of READS) {
      const answer = await api.request('GET', `${BASE}/${path}`, { token: reader });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    const { items } = (await api.request('GET', `${BASE}/misses?top=200`, { token: reader })).body;
    expect(items.length).toBeGreaterThan(0);
    expect(items.every(({ key }: { key: unknown }) => key === null)).toBe(true);
    const value = await api.request('GET', `${BASE}/keys/test.values:a?value=true`, {
      token: reader,
    });
    expect(value).toMatchObject({ status: 403, body: { code: 'CACHE_VALUE_FORBIDDEN' } });
    const changes: [string, string, unknown][] = [
      ['DELETE', '', undefined],
      ['DELETE', '/namespaces/test.values', undefined],
      ['DELETE', '/keys/test.values:a', undefined],
      ['PATCH', '/levels/L1', { maxBytes: 5 * MIB }],
      ['PATCH', '/namespaces/test.values', { ttlMs: 5 }],
      ['POST', '/invalidate', { tags: ['a'] }],
      ['POST', '/sweep', undefined],
    ];
    for (const [method, path, body] of changes) {
      const answer = await api.request(method, BASE + path, { token: reader, body });
      expect([method, path, answer.status]).toEqual([method, path, 403]);
    }
  });

  it('writes a line of the log for each change, without keys', async () => {
    open('test.audited');
    await api.request('DELETE', `${BASE}/keys/test.audited:personal`, { token });
    const line = api.log.records.find(({ namespace }) => namespace === 'test.audited');
    expect(line).toMatchObject({
      level: 'info',
      module: 'cache',
      msg: 'Keys of the cache were deleted',
      by: expect.any(String),
      keys: 1,
      digests: [expect.stringMatching(/^[\da-f]{16}$/)],
    });
    expect(JSON.stringify(line)).not.toContain('personal');
  });

  async function readerToken(): Promise<string> {
    const email = 'cache-reader@test.example';
    await api.register(email);
    await api.platform.dataSource.query(
      `INSERT INTO permission_grant (id, user_id, resource, action, effect)
       SELECT $2, id, 'perf:cache', 'read', 'allow' FROM user_account WHERE email = $1`,
      [email, newId()],
    );
    return api.login({ email, password: `password of ${email}` });
  }
});

function valueOf(text: string, series: string): number {
  const line = text.split('\n').find((one) => one.startsWith(series));
  return Number(line?.split(' ').at(-1));
}
