import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheHub } from '#libs/cache';
import { newId } from '#libs/core';
import { CacheAdministration } from './support/cache-administration.js';

const MIB = 1024 * 1024;

let admin: CacheAdministration;

beforeAll(async () => {
  admin = await CacheAdministration.start();
});

afterAll(() => admin.close());

describe('GET /v1/perf/cache/stats', () => {
  it('counts hits, misses, sets, deletes, size and bytes by level and by namespace', async () => {
    const cache = admin.open('test.stats');
    await cache.set('a', 'value');
    await cache.getOrSet('a', () => 'other');
    await cache.getOrSet('b', () => 'b');
    await admin.api.app.get(CacheHub).drain();
    await cache.delete('b');
    const { status, body } = await admin.get('/stats');
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

describe('GET /v1/perf/cache/managers', () => {
  it('lists five kinds with figures that follow from their counts', async () => {
    const cache = admin.open('test.managed', { kind: 'database' });
    for (let at = 0; at < 5_000; at += 1) await cache.getOrSet(`${at % 50}`, () => 'x'.repeat(99));
    const { items } = (await admin.get('/managers')).body;
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
    const namespaces = (await admin.get('/namespaces')).body.items.filter(
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
    const cache = admin.open('test.keys');
    for (let at = 0; at < 30; at += 1) {
      await cache.get('absent');
      await cache.get(`absent-${at}`);
    }
    await cache.set('popular', 1);
    for (let at = 0; at < 2_000; at += 1) await cache.getOrSet('popular', () => 1);
    const misses = (await admin.get('/misses?top=1&namespace=test.keys')).body.items;
    expect(misses).toMatchObject([{ namespace: 'test.keys', key: 'absent', misses: 30 }]);
    const [hot] = (await admin.get('/hot?top=5&namespace=test.keys')).body.items;
    expect(hot).toMatchObject({ key: 'popular', digest: expect.stringMatching(/^[\da-f]{16}$/) });
    expect(hot.hits).toBeGreaterThan(1_500);
    expect((await admin.get('/misses?top=0')).status).toBe(400);
    expect((await admin.get('/hot?top=201')).body.errors[0].path).toBe('query.top');
    expect((await admin.get('/hot?limit=5')).status).toBe(400);
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

  let reader: string;

  beforeAll(async () => {
    reader = await readerToken();
  });

  it('asks for a token, and for the permission', async () => {
    const member = await admin.api.register('cache-member@test.example');
    for (const path of READS) {
      expect((await admin.request('GET', `/${path}`, { token: undefined })).status).toBe(401);
      const { status, body } = await admin.request('GET', `/${path}`, { token: member });
      expect([path, status, body.code]).toEqual([path, 403, 'AUTH_PERMISSION_DENIED']);
    }
  });

  it('lets readers read, without keys and values, and change nothing', async () => {
    admin.open('test.values');
    await admin.caches.find('test.values')?.get('private');
    for (const path of READS) {
      const answer = await admin.request('GET', `/${path}`, { token: reader });
      expect([path, answer.status]).toEqual([path, 200]);
    }
    const { items } = (await admin.request('GET', '/misses?top=200', { token: reader })).body;
    expect(items.length).toBeGreaterThan(0);
    expect(items.every(({ key }: { key: unknown }) => key === null)).toBe(true);
    const value = await admin.request('GET', '/keys/test.values:a?value=true', {
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
      const answer = await admin.request(method, path, { token: reader, body });
      expect([method, path, answer.status]).toEqual([method, path, 403]);
    }
  });

  it('writes a line of the log for each change, without keys', async () => {
    admin.open('test.audited');
    await admin.request('DELETE', '/keys/test.audited:personal');
    const line = admin.api.log.records.find(({ namespace }) => namespace === 'test.audited');
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
    await admin.api.register(email);
    await admin.api.platform.dataSource.query(
      `INSERT INTO permission_grant (id, user_id, resource, action, effect)
       SELECT $2, id, 'perf:cache', 'read', 'allow' FROM user_account WHERE email = $1`,
      [email, newId()],
    );
    return admin.api.login({ email, password: `password of ${email}` });
  }
});
