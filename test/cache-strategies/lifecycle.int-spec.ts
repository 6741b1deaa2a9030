import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Injectable } from '@nestjs/common';
import { Cacheable, CacheStrategies, Caches, StrategyRegistry, WarmUp } from '#libs/cache';
import { JobQueue } from '#libs/jobs';
import { DataSource } from 'typeorm';
import { StrategyWarmUps } from '../../libs/cache/src/strategies/strategy-warm-ups.js';
import { CacheLearning } from '../../libs/cache/src/learning/cache-learning.js';
import { autoTuneStrategies } from '../../libs/cache/src/strategies/auto-tune.job.js';
import { type CacheApp, createDatabase, startCacheApp } from '../cache/support/cache-app.js';
import { type TestRedis, startTestRedis } from '../support/redis-server.js';

const BY = 'test';

@Injectable()
class Orders {
  loads = 0;

  @WarmUp({ topN: 5, atStart: false })
  @Cacheable({ strategy: 'orders', key: '{id}' })
  async find(id: number): Promise<{ id: number; load: number }> {
    this.loads += 1;
    return Promise.resolve({ id, load: this.loads });
  }
}

/** Waits until something holds, and says how long it took. */
async function until(holds: () => boolean | Promise<boolean>): Promise<number> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > 10_000) throw new Error('It never came to hold.');
    await sleep(2);
  }
  return performance.now() - startedMs;
}

describe('the life of a cache strategy', () => {
  let redis: TestRedis;
  let database: Awaited<ReturnType<typeof createDatabase>>;
  let directory: string;
  const apps: CacheApp[] = [];

  beforeAll(async () => {
    redis = await startTestRedis();
  });
  afterAll(() => redis.stop());
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'pantheon-strategies-'));
    database = await createDatabase();
  });
  afterEach(async () => {
    for (const app of apps.splice(0)) await app.stop();
    await database.drop();
    await rm(directory, { recursive: true });
  });

  async function start(environment: Readonly<Record<string, string>> = {}): Promise<CacheApp> {
    const app = await startCacheApp({
      databaseUrl: database.url,
      providers: [Orders],
      environment: {
        PANTHEON_CACHE_STRATEGY_OPTIMIZE_WINDOW_MS: '50',
        PANTHEON_CACHE_DISK_DIRECTORY: directory,
        ...environment,
      },
    });
    apps.push(app);
    return app;
  }

  async function restart(environment?: Readonly<Record<string, string>>): Promise<CacheApp> {
    await apps.pop()?.stop();
    return start(environment);
  }

  const make = (app: CacheApp, name: string, type: 'memory' | 'disk' | 'distributed' | 'hybrid') =>
    app.get(CacheStrategies).createCacheStrategy({ name, type, configuration: {}, by: BY });

  const storeOf = (app: CacheApp, name: string) => app.get(StrategyRegistry).get(name);

  describe.each(['without Redis', 'with Redis'])('%s', (row) => {
    const environment = (): Record<string, string> =>
      row === 'with Redis' ? { REDIS_URL: redis.url } : {};

    it('keeps what its levels keep through a restart', async () => {
      let app = await start(environment());
      for (const type of ['memory', 'disk', 'distributed', 'hybrid'] as const) {
        await make(app, type, type);
        await storeOf(app, type).set('key', { of: type });
      }
      app = await restart(environment());
      const held = async (name: string) => {
        const answer = await storeOf(app, name).get('key');
        return answer === undefined ? undefined : [answer.source, answer.value];
      };
      const shared = row === 'with Redis' ? 'L2' : 'L3';
      expect(await held('memory')).toBeUndefined();
      expect(await held('disk')).toEqual(['L4', { of: 'disk' }]);
      expect(await held('distributed')).toEqual([shared, { of: 'distributed' }]);
      expect(await held('distributed')).toEqual([shared, { of: 'distributed' }]);
      expect(await held('hybrid')).toEqual([shared, { of: 'hybrid' }]);
      expect(await held('hybrid')).toEqual(['L1', { of: 'hybrid' }]);
    });

    it('takes a change over in every process at once', async () => {
      const [one, other] = [await start(environment()), await start(environment())];
      await make(one, 'orders', 'hybrid');
      await until(() => other.get(StrategyRegistry).find('orders') !== undefined);
      const times: number[] = [];
      for (const status of ['disabled', 'active', 'disabled'] as const) {
        await one.get(CacheStrategies).change('orders', { status, by: BY });
        times.push(await until(() => storeOf(other, 'orders').current.status === status));
      }
      await one.get(CacheStrategies).delete('orders', BY);
      await until(() => other.get(StrategyRegistry).find('orders') === undefined);
      expect(Math.min(...times)).toBeLessThan(100);
    });
  });

  it('rules methods that name it: their life, and whether they are cached at all', async () => {
    const app = await start();
    const strategies = app.get(CacheStrategies);
    await make(app, 'orders', 'hybrid');
    const orders = app.get(Orders);
    expect(await orders.find(1)).toEqual({ id: 1, load: 1 });
    expect(await orders.find(1)).toEqual({ id: 1, load: 1 });
    await strategies.change('orders', { status: 'disabled', by: BY });
    expect(await orders.find(1)).toEqual({ id: 1, load: 2 });
    expect(await orders.find(1)).toEqual({ id: 1, load: 3 });
    await strategies.change('orders', { status: 'active', by: BY });
    expect(await orders.find(1)).toEqual({ id: 1, load: 4 });
    expect(await orders.find(1)).toEqual({ id: 1, load: 4 });
    await strategies.change('orders', { configuration: { ttlMs: 500, policy: 'lru' }, by: BY });
    expect(await orders.find(2)).toEqual({ id: 2, load: 5 });
    app.clock.advance(600);
    await until(async () => (await orders.find(2)).load === 6);
    expect(app.get(Caches).find('Orders.find')?.policy().name).toBe('lru');
    expect(
      storeOf(app, 'orders')
        .openNamespaces()
        .map(({ namespace }) => namespace),
    ).toEqual(['strategy.orders', 'Orders.find']);
  });

  it('warms the keys of its plan', async () => {
    const app = await start();
    await make(app, 'orders', 'memory');
    const orders = app.get(Orders);
    for (const id of [1, 2, 3, 1, 2, 1]) await orders.find(id);
    const read = app.get(CacheLearning).of('Orders.find')?.recorder.accesses() ?? [];
    const keys = [...new Set(read.map(({ key }) => key))];
    const warmUp = { topN: 0, keys, atStart: false, concurrency: 2 };
    await app.get(CacheStrategies).change('orders', { configuration: { warmUp }, by: BY });
    await app.get(Caches).clearNamespace('Orders.find');
    const [job] = await app.get(StrategyWarmUps).start('orders');
    expect(job).toMatchObject({ namespace: 'Orders.find' });
    await until(() => orders.loads === 6);
    await orders.find(1);
    expect(orders.loads).toBe(6);
    await make(app, 'lonely', 'memory');
    await expect(app.get(StrategyWarmUps).start('lonely')).rejects.toMatchObject({
      code: 'CACHE_STRATEGY_NOT_WARMABLE',
    });
  });

  it('is what it was before, when the process that optimised it has died', async () => {
    let app = await start();
    await make(app, 'cut', 'memory');
    await app.get(StrategyRegistry).beginOptimising('cut');
    const { id, version, configuration } = storeOf(app, 'cut').current;
    const tried = { ...configuration, policy: 'random' };
    await app.get(StrategyRegistry).update(id, version, { configuration: tried });
    expect(storeOf(app, 'cut').current).toMatchObject({ status: 'optimizing' });
    app = await restart();
    expect(storeOf(app, 'cut').current).toMatchObject({ status: 'optimizing' });
    app.clock.advance(61_000);
    await app.get(StrategyRegistry).refresh();
    const { status, configuration: restored } = storeOf(app, 'cut').current;
    expect({ status, policy: restored.policy }).toEqual({ status: 'active', policy: 's3-fifo' });
  });

  it('is optimised by one at a time', async () => {
    const app = await start();
    await make(app, 'once', 'memory');
    const strategies = app.get(CacheStrategies);
    const [first, second] = await Promise.allSettled([
      strategies.optimizeCachePerformance('once', [], BY),
      strategies.optimizeCachePerformance('once', [], BY),
    ]);
    expect([first, second].map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(storeOf(app, 'once').current.status).toBe('active');
  });

  it('is tuned by a job while it is active', async () => {
    const app = await start();
    await make(app, 'tuned', 'memory');
    await make(app, 'idle', 'memory');
    await app.get(CacheStrategies).change('idle', { status: 'disabled', by: BY });
    for (let read = 0; read < 300; read += 1) {
      await storeOf(app, 'tuned').getOrSet(`key:${read % 20}`, () => 'x'.repeat(100));
    }
    await app.get(JobQueue).enqueue(autoTuneStrategies, {});
    await until(() => storeOf(app, 'tuned').current.lastOptimized !== null);
    await until(() => storeOf(app, 'tuned').current.status === 'active');
    const { provenance } = storeOf(app, 'tuned').current;
    expect(provenance.optimisations).toMatchObject([{ by: 'auto-tune' }]);
    expect(storeOf(app, 'idle').current.lastOptimized).toBeNull();
  });

  it('hears of a change by reading anew, where the message was lost', async () => {
    const app = await start({ PANTHEON_CACHE_STRATEGY_POLL_MS: '100' });
    await make(app, 'polled', 'memory');
    const { id } = storeOf(app, 'polled').current;
    await app
      .get(DataSource)
      .query(`UPDATE cache_strategy SET status = 'disabled', version = 2 WHERE id = $1`, [id]);
    await until(() => storeOf(app, 'polled').current.status === 'disabled');
  });
});
