import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CacheHub } from '../engine/cache-hub.js';
import { managerFigures } from './manager-figures.js';

describe('managerFigures', () => {
  it('adds namespaces up, and derives each figure from the sums', async () => {
    const clock = new ManualClock(Date.now());
    const hub = new CacheHub({ clock });
    const [orders, users] = [hub.cache('orders'), hub.cache('users')];
    const taking = (ms: number) => () => {
      clock.advance(ms);
      return 'value';
    };
    await orders.getOrSet('a', taking(10));
    for (let at = 0; at < 9; at += 1) await orders.getOrSet('a', taking(10));
    await users.getOrSet('a', taking(30));
    await users.getOrSet('a', taking(30));
    const figures = managerFigures([orders.statistics(), users.statistics()]);
    const { counts } = figures;
    expect(counts).toMatchObject({
      reads: 12,
      hits: 10,
      l1Hits: 10,
      loads: 2,
      loadMs: 40,
      loadTimeSavedMs: 9 * 10 + 30,
      items: 2,
    });
    expect(figures.hitRatio).toBe(10 / 12);
    expect(figures.meanLatencyMs).toBe((counts.lookUpMs + 40) / 12);
    expect(figures.hitsPerMebibyte).toBe(10 / (counts.bytes / 2 ** 20));
    expect(figures.levels).toMatchObject([{ level: 'L1', hits: 10, misses: 2, hitRatio: 10 / 12 }]);
    await hub.close();
  });

  it('has nothing to tell of nothing', () => {
    expect(managerFigures([])).toMatchObject({
      hitRatio: null,
      meanLatencyMs: null,
      hitsPerMebibyte: null,
      savedPerCacheSecond: null,
      levels: [],
    });
  });
});
