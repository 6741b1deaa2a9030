import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { Cluster } from '../testing/cluster.js';
import { ChaosTier } from '../testing/chaos.tier.js';
import { MemoryTier } from '../tier/memory.tier.js';
import type { Cache } from './cache.js';
import type { CacheHub } from './cache-hub.js';

describe('the statistics of a cache', () => {
  let clock: ManualClock;
  let chaos: ChaosTier;
  let cluster: Cluster;
  let hub: CacheHub;
  let cache: Cache<number>;

  beforeEach(async () => {
    clock = new ManualClock();
    chaos = new ChaosTier(new MemoryTier({ clock }));
    cluster = new Cluster(clock, [chaos]);
    hub = await cluster.join();
    cache = hub.cache<number>('orders', { ttlMs: 1_000, staleMs: 1_000, jitter: 0, maxItems: 2 });
  });
  afterEach(() => cluster.close());

  const load = (value: number) => (): number => {
    clock.advance(40);
    return value;
  };

  it('tell hits and misses of each level, and the load time that hits have saved', async () => {
    await cache.getOrSet('a', load(1));
    await cache.getOrSet('b', load(2));
    await cache.getOrSet('a', load(1));
    await hub.drain();
    await cache.getOrSet('c', load(3));
    await hub.drain();
    // One of a and b had to leave the first level for c, and is in the second one.
    await cache.getOrSet('a', load(1));
    await cache.getOrSet('b', load(2));
    const statistics = cache.statistics();
    const [l1, l2] = statistics.levels;
    expect(statistics).toMatchObject({ loads: 3, loadMs: 120, meanLoadMs: 40, maxItems: 2 });
    expect(l2).toMatchObject({ level: 'L2', misses: 3, timed: 3 + (l2?.hits ?? 0) });
    expect(l2?.hits).toBeGreaterThan(0);
    expect((l1?.hits ?? 0) + (l2?.hits ?? 0)).toBe(3);
    expect(statistics.loadTimeSavedMs).toBe(3 * 40);
    expect(statistics.hitRatio).toBe(0.5);
    expect(statistics.removed.size).toBe(1 + (l2?.hits ?? 0));
  });

  it('count every key of a read of many once, found or not', async () => {
    await cache.set('a', 1);
    await cache.getMany(['a', 'a', 'absent']);
    expect(cache.statistics()).toMatchObject({ l1Hits: 1, l1Misses: 1, hitRatio: 0.5 });
  });

  it('tell what expired from what was evicted or deleted', async () => {
    await cache.set('a', 1);
    await cache.set('b', 2, { ttlMs: 60_000 });
    clock.advance(2_001);
    expect(cache.expireSweep()).toBe(1);
    await cache.delete('b');
    expect(cache.statistics().removed).toEqual({ size: 0, expired: 1, deleted: 1 });
  });

  it('tell what the calls of a level took, which failed, and which were not tried', async () => {
    await cache.getOrSet('a', load(1));
    await hub.drain();
    expect(hub.levels()).toMatchObject([{ level: 'L2', answered: 2, errors: 0, skipped: 0 }]);
    chaos.plan = () => ({ kind: 'error' });
    for (const key of ['b', 'c', 'd', 'e', 'f', 'g']) await cache.get(key);
    expect(hub.levels()).toMatchObject([{ errors: 5, skipped: 1, state: 'open' }]);
  });

  it('tell where a key lies, without counting or promoting it', async () => {
    await cache.set('a', 1, { tags: ['vip'] });
    const other = (await cluster.join()).cache<number>('orders', { jitter: 0 });
    clock.advance(400);
    const before = other.statistics();
    expect(await other.keyInfo('a')).toEqual([
      {
        level: 'L2',
        state: 'fresh',
        createdMs: clock.nowMs() - 400,
        ttlLeftMs: 600,
        bytes: undefined,
        tags: ['vip'],
      },
    ]);
    expect(other.statistics()).toEqual(before);
    const [own] = await cache.keyInfo('a');
    expect(own).toMatchObject({ level: 'L1', state: 'fresh', ttlLeftMs: 600, tags: ['vip'] });
    expect(own?.bytes).toBeGreaterThan(0);
    clock.advance(700);
    expect(await cache.keyInfo('a')).toMatchObject([{ state: 'stale' }, { state: 'stale' }]);
    await hub.invalidateTags(['vip']);
    expect(await other.keyInfo('a')).toMatchObject([{ level: 'L2', state: 'invalid' }]);
    expect(await cache.keyInfo('absent')).toEqual([]);
  });
});
