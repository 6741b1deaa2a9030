import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheAdministration } from './support/cache-administration.js';

const MIB = 1024 * 1024;

let admin: CacheAdministration;

beforeAll(async () => {
  admin = await CacheAdministration.start();
});

afterAll(() => admin.close());

describe('/v1/perf/cache/levels', () => {
  it('describes each level', async () => {
    const { items } = (await admin.get('/levels')).body;
    expect(items).toMatchObject([
      { level: 'L1', type: 'memory', ttlMs: null, maxBytes: 128 * MIB, breaker: null },
      { level: 'L3', type: 'postgres', ttlMs: null, timeoutMs: 10_000, breaker: 'closed' },
    ]);
  });

  it('shrinks the first level at once, and goes back to the setting', async () => {
    const cache = admin.open('test.shrink');
    for (let at = 0; at < 100; at += 1) await cache.getOrSet(`${at}`, () => 'x'.repeat(20_000));
    expect(cache.statistics().bytes).toBeGreaterThan(MIB);
    const patched = await admin.request('PATCH', '/levels/L1', { body: { maxBytes: MIB } });
    expect(patched).toMatchObject({ status: 200, body: { maxBytes: MIB, changed: ['maxBytes'] } });
    expect(patched.body.bytes).toBeLessThanOrEqual(MIB);
    expect(cache.statistics().bytes).toBeLessThan(MIB);
    const back = await admin.request('PATCH', '/levels/L1', { body: { maxBytes: null } });
    expect(back.body).toMatchObject({ maxBytes: 128 * MIB, changed: [] });
  });

  it('limits the life in a level, and takes a level out of use', async () => {
    const cache = admin.open('test.limits');
    const change = (body: object) => admin.request('PATCH', '/levels/L3', { body });
    await change({ ttlMs: 5_000, timeoutMs: 400 });
    await cache.set('a', 1);
    const [, third] = (await admin.get('/keys/test.limits:a')).body.levels;
    expect(third.ttlLeftMs).toBeLessThanOrEqual(5_000);
    expect((await change({ enabled: false })).body).toMatchObject({
      enabled: false,
      timeoutMs: 400,
      changed: ['ttlMs', 'timeoutMs', 'enabled'],
    });
    await cache.set('b', 1);
    expect((await admin.get('/keys/test.limits:b')).body.levels).toMatchObject([{ level: 'L1' }]);
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
    const answer = await admin.request('PATCH', `/levels/${level}`, { body });
    expect(answer).toMatchObject({ status, body: { code } });
    expect(answer.body.errors?.[0]?.path).toBe(path);
  });
});

describe('/v1/perf/cache/namespaces', () => {
  it('lists kind, rule, bytes and hit ratio', async () => {
    const cache = admin.open('test.rules', {
      kind: 'content',
      ttlMs: 7_000,
      jitter: 0.2,
      absentTtlMs: 9,
    });
    await cache.getOrSet('a', () => 1);
    await cache.getOrSet('a', () => 1);
    expect((await admin.get('/namespaces/test.rules')).body).toMatchObject({
      name: 'test.rules',
      kind: 'content',
      rule: { ttlMs: 7_000, jitter: 0.2, maxTtlMs: 86_400_000, absentTtlMs: 9 },
      changed: {},
      hitRatio: 0.5,
    });
    const { items, omitted } = (await admin.get('/namespaces')).body;
    expect(items.map(({ name }: { name: string }) => name)).toContain('test.rules');
    expect(omitted).toBe(0);
  });

  it('changes the rule of a namespace, and goes back to what the code says', async () => {
    const cache = admin.open('test.changed', { ttlMs: 60_000, maxItems: 500 });
    const change = (body: object) => admin.request('PATCH', '/namespaces/test.changed', { body });
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
    const unknown = await admin.request('PATCH', '/namespaces/nobody', { body: { ttlMs: 5 } });
    expect(unknown).toMatchObject({ status: 404, body: { code: 'CACHE_NAMESPACE_UNKNOWN' } });
  });

  it('spreads the ends of entries that are written together', async () => {
    const cache = admin.open('test.spread', { ttlMs: 60_000, jitter: 0.2, useTiers: false });
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
    const cache = admin.open('test.cleared');
    await cache.set('a', 1);
    const answer = await admin.request('DELETE', '/namespaces/test.cleared');
    expect(answer.body).toEqual({ acknowledged: true, scope: 'namespace' });
    expect(await cache.get('a')).toBeUndefined();
    expect((await admin.request('DELETE', '/namespaces/nobody')).status).toBe(404);
  });
});
