import { setImmediate as nextTurn } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { Cache } from '../engine/cache.js';
import { CacheHub } from '../engine/cache-hub.js';
import { type WarmUpItem, type WarmUpReport, WarmUpRunner } from './warm-up.runner.js';

describe('WarmUpRunner', () => {
  let hub: CacheHub;
  let cache: Cache;
  let running: number;
  let most: number;
  const runner = new WarmUpRunner();

  beforeEach(() => {
    hub = new CacheHub();
    cache = hub.cache('warmed', { ttlMs: 60_000 });
    running = 0;
    most = 0;
  });

  afterEach(() => hub.close());

  const items = (count: number): WarmUpItem[] =>
    Array.from({ length: count }, (_, index) => ({
      key: `key ${index}`,
      load: {
        load: async () => {
          running += 1;
          most = Math.max(most, running);
          await nextTurn();
          running -= 1;
          return index;
        },
      },
    }));

  const failing: WarmUpItem = {
    key: 'bad',
    load: {
      load: () => {
        throw new Error('away');
      },
    },
  };

  it('loads all keys, as many at once as it may', async () => {
    const report = await runner.run(cache, items(40), { concurrency: 5, headroom: () => 100 });
    expect(report).toEqual({ total: 40, loaded: 40, failed: 0, skipped: 0, failures: [] });
    expect(most).toBe(5);
    expect(await cache.get('key 39')).toBe(39);
  });

  it('takes no more than the room that is left, and one at a time without any', async () => {
    await runner.run(cache, items(10), { concurrency: 8, headroom: () => 2 });
    expect(most).toBe(2);
    await cache.clear();
    most = 0;
    await runner.run(cache, items(3), { concurrency: 8, headroom: () => 0 });
    expect(most).toBe(1);
  });

  it('goes on after a key that fails, and counts each outcome', async () => {
    await cache.set('key 0', 'there');
    const unknown: WarmUpItem = { key: 'unknown', load: undefined };
    const seen: WarmUpReport[] = [];
    const report = await runner.run(cache, [failing, ...items(3), unknown], {
      concurrency: 1,
      headroom: () => 1,
      onProgress: (progress) => seen.push(progress),
    });
    expect(report).toEqual({
      total: 5,
      loaded: 2,
      failed: 1,
      skipped: 2,
      failures: [{ key: 'bad', message: 'away' }],
    });
    expect(seen.map(({ loaded, failed, skipped }) => loaded + failed + skipped)).toEqual([
      1, 2, 3, 4, 5,
    ]);
    expect(await cache.get('key 0')).toBe('there');
  });

  it('stops when it is told to, and says how far it came', async () => {
    const stop = new AbortController();
    const report = await runner.run(cache, items(10), {
      concurrency: 1,
      headroom: () => 1,
      signal: stop.signal,
      onProgress: ({ loaded }) => {
        if (loaded === 4) stop.abort();
      },
    });
    expect(report).toMatchObject({ total: 10, loaded: 4 });
  });
});
