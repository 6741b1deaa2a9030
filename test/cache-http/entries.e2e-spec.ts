import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { CacheAdministration } from './support/cache-administration.js';
import { metricOf } from './support/metric.js';

let admin: CacheAdministration;

beforeAll(async () => {
  admin = await CacheAdministration.start();
});

afterAll(() => admin.close());

describe('/v1/perf/cache/keys', () => {
  it.each([
    ['zero', 0],
    ['empty text', ''],
    ['false', false],
    ['null', null],
  ])('keeps %s as a value, and deletes it from every level', async (name, value) => {
    const cache = admin.open('test.values');
    await cache.set(name, value);
    const before = await admin.get(`/keys/test.values:${encodeURIComponent(name)}?value=true`);
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
    const path = `/keys/${encodeURIComponent(name)}?namespace=test.values`;
    const deleted = await admin.request('DELETE', path);
    expect(deleted).toMatchObject({ status: 200, body: { acknowledged: true, scope: 'keys' } });
    const after = await admin.get(`/keys/${encodeURIComponent(name)}?namespace=test.values`);
    expect(after.body).toMatchObject({ found: false, levels: [] });
    await cache.getOrSet(name, () => (loads += 1));
    expect(loads).toBe(1);
  });

  it('shows no value of a session, to nobody', async () => {
    await admin.open('test.session', { kind: 'session' }).set('a', 'secret');
    const answer = await admin.get('/keys/test.session:a?value=true');
    expect(answer).toMatchObject({ status: 403, body: { code: 'CACHE_VALUE_FORBIDDEN' } });
    expect((await admin.get('/keys/test.session:a')).body.found).toBe(true);
  });

  it('tells why it does not show a value', async () => {
    const cache = admin.open('test.shown');
    await cache.set('large', 'x'.repeat(100_000));
    await cache.set('bytes', { body: Buffer.from('hello'), big: 7n });
    expect((await admin.get('/keys/test.shown:large?value=true')).body.valueOmitted).toMatch(
      /100002/,
    );
    expect((await admin.get('/keys/test.shown:bytes?value=true')).body.value).toEqual({
      body: { bytes: 5 },
      big: '7n',
    });
    expect((await admin.get('/keys/test.shown:none?value=true')).body.valueOmitted).toMatch(
      /no fresh/,
    );
  });

  it('knows no key of a namespace that is not open', async () => {
    const answer = await admin.get('/keys/nobody:a');
    expect(answer).toMatchObject({ status: 404, body: { code: 'CACHE_NAMESPACE_UNKNOWN' } });
    expect((await admin.get('/keys/a')).status).toBe(404);
  });
});

describe('POST /v1/perf/cache/invalidate', () => {
  const invalidate = (body: unknown) => admin.request('POST', '/invalidate', { body });

  it('invalidates by tag, by key, by prefix and by namespace', async () => {
    const cache = admin.open('test.invalidated');
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
    const cache = admin.open('test.everything');
    await cache.set('a', 1);
    const answer = await admin.request('DELETE', '');
    expect(answer).toMatchObject({
      status: 200,
      body: { acknowledged: true, scope: 'everything' },
    });
    expect(await cache.get('a')).toBeUndefined();
  });
});

describe('POST /v1/perf/cache/sweep', () => {
  it('counts what it removes from each level', async () => {
    const cache = admin.open('test.sweep', { ttlMs: 1_000 });
    await admin.request('POST', '/sweep');
    await cache.setMany(Array.from({ length: 50 }, (_, at) => [`${at}`, at] as const));
    admin.api.clock.advance(2_000);
    const { status, body } = await admin.request('POST', '/sweep');
    expect(status).toBe(200);
    const removed = Object.fromEntries(
      body.items.map((one: { level: string; removed: number }) => [one.level, one.removed]),
    );
    expect(removed['L1']).toBeGreaterThanOrEqual(50);
    expect(removed['L3']).toBeGreaterThanOrEqual(0);
    const series = 'cache_evictions_total{level="L1",namespace="test.sweep",reason="expired"}';
    expect(await metricOf(admin.api, series)).toBeGreaterThanOrEqual(50);
  });
});
