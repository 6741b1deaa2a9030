import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { ManualClock } from '#libs/core';
import { Metrics, metricsSettings } from '#libs/metrics';
import type { CacheHub } from '../engine/cache-hub.js';
import { Caches } from '../managers/caches.js';
import { Cluster } from '../testing/cluster.js';
import { CacheMetrics } from './cache-metrics.js';

const MIB = 1024 * 1024;
const BUDGETS = { application: MIB, database: MIB, api: MIB, content: MIB, session: MIB };

describe('CacheMetrics', () => {
  let clock: ManualClock;
  let cluster: Cluster;
  let hub: CacheHub;
  let caches: Caches;
  let metrics: Metrics;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    cluster = new Cluster(clock);
    hub = await cluster.join();
    caches = new Caches(hub, BUDGETS);
    metrics = new Metrics(new SettingsStore([metricsSettings]), clock, 'test');
    new CacheMetrics(metrics, caches, hub).onModuleInit();
  });

  afterEach(async () => {
    metrics.onModuleDestroy();
    await cluster.close();
  });

  async function exposed(): Promise<Map<string, number>> {
    const { text } = await metrics.expose();
    return new Map(
      text
        .split('\n')
        .filter((line) => line.startsWith('cache_'))
        .map((line): [string, number] => {
          const at = line.lastIndexOf(' ');
          return [line.slice(0, at), Number(line.slice(at + 1))];
        }),
    );
  }

  it('counts a hit for the level that it came from', async () => {
    const hits = async (level: string) =>
      (await exposed()).get(`cache_hits_total{level="${level}",namespace="orders"}`);
    await (await cluster.join()).cache('orders').set('a', 1);
    const cache = caches.open('orders');
    await cache.getOrSet('a', () => 2);
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([0, 1, 0]);
    await cache.getOrSet('a', () => 2);
    expect([await hits('L1'), await hits('L2'), await hits('L3')]).toEqual([1, 1, 0]);
  });

  it('counts one load for a hundred readers, and times it', async () => {
    const cache = caches.open('orders');
    const load = async (): Promise<number> => {
      await Promise.resolve();
      clock.advance(20);
      return 1;
    };
    await Promise.all(Array.from({ length: 100 }, () => cache.getOrSet('a', load)));
    await expect(cache.getOrSet('b', () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    await cache.getOrSetMany(['c', 'd'], () => Promise.resolve(new Map([['c', 1]])));
    const values = await exposed();
    expect(values.get('cache_loads_total{namespace="orders",outcome="stored"}')).toBe(2);
    expect(values.get('cache_loads_total{namespace="orders",outcome="failed"}')).toBe(1);
    expect(values.get('cache_load_seconds_count{namespace="orders"}')).toBe(3);
    expect(values.get('cache_load_seconds_sum{namespace="orders"}')).toBeCloseTo(0.02, 3);
    expect(values.get('cache_misses_total{namespace="orders"}')).toBe(103);
  });

  it('never lets the count of misses fall while reads are under way', async () => {
    await (await cluster.join()).cache('orders').set('a', 1);
    const cache = caches.open('orders');
    const reading = cache.getOrSet('a', () => 2);
    const misses = async () =>
      (await exposed()).get('cache_misses_total{namespace="orders"}') ?? Number.NaN;
    const before = await misses();
    await reading;
    expect(await misses()).toBeGreaterThanOrEqual(before);
  });

  it('tells bytes and entries by kind, and why entries left', async () => {
    const cache = caches.open('pages', { kind: 'api', maxItems: 5, ttlMs: 1_000, jitter: 0 });
    for (let at = 0; at < 8; at += 1) await cache.set(`${at}`, 'x'.repeat(1_000));
    let values = await exposed();
    expect(values.get('cache_items{level="L1",kind="api"}')).toBe(5);
    expect(values.get('cache_bytes{level="L1",kind="api"}')).toBeGreaterThan(5_000);
    expect(values.get('cache_max_bytes{level="L1",kind="api"}')).toBe(MIB);
    expect(values.get('cache_bytes{level="L1",kind="session"}')).toBe(0);
    clock.advance(2_000);
    cache.expireSweep();
    await hub.sweep();
    values = await exposed();
    const evicted = (labels: string) => values.get(`cache_evictions_total{${labels}}`);
    expect(evicted('level="L1",namespace="pages",reason="size"')).toBe(3);
    expect(evicted('level="L1",namespace="pages",reason="expired"')).toBe(5);
    expect(evicted('level="L2",namespace="",reason="expired"')).toBe(8);
  });

  it('tells how the shared levels do, and what was invalidated', async () => {
    const cache = caches.open('orders');
    await cache.set('a', 1);
    await cache.delete('a');
    await hub.invalidateTags(['x', 'y']);
    const values = await exposed();
    expect(values.get('cache_in_sync')).toBe(1);
    expect(values.get('cache_breaker_state{level="L2"}')).toBe(0);
    expect(values.get('cache_tier_calls_total{level="L2",outcome="answered"}')).toBe(2);
    expect(values.get('cache_tier_writes_total{level="L3",outcome="stored"}')).toBe(1);
    expect(values.get('cache_tier_deletes_total{level="L3"}')).toBe(1);
    expect(values.get('cache_invalidations_total{kind="tag",origin="local"}')).toBe(2);
    expect(values.get('cache_invalidations_total{kind="key",origin="local"}')).toBe(2);
  });

  it('adds namespaces beyond a number up, so that the series are bounded', async () => {
    for (let at = 0; at < 300; at += 1) {
      const cache = caches.open(`namespace-${at}`);
      await cache.getOrSet('a', () => 1);
      await cache.getOrSet('a', () => 1);
    }
    const values = await exposed();
    const hits = [...values].filter(([name]) => name.startsWith('cache_hits_total{level="L1"'));
    expect(hits).toHaveLength(41);
    expect(hits.at(-1)).toEqual(['cache_hits_total{level="L1",namespace="<other>"}', 260]);
    expect(values.size).toBeLessThan(800);
  });
});
