import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CacheHub } from './cache-hub.js';
import { learnedTtl } from './learned-ttl.js';

describe('learnedTtl', () => {
  it('gives values that change a shorter life than values that stay', () => {
    const clock = new ManualClock();
    const ttlOf = learnedTtl<object>({ minTtlMs: 100, maxTtlMs: 3_600_000, clock });
    let [changing, staying] = [0, 0];
    for (let load = 0; load < 200; load += 1) {
      changing = ttlOf({ at: load }, 'changing');
      staying = ttlOf({ at: 'rest' }, 'staying');
      clock.advance(60_000);
    }
    expect(changing).toBeLessThan(staying / 3);
    expect(changing).toBeGreaterThanOrEqual(100);
    expect(staying).toBeLessThanOrEqual(3_600_000);
  });

  it('tells values apart by a fingerprint, as the life of a cache', async () => {
    const clock = new ManualClock();
    const hub = new CacheHub({ clock, clockResolutionMs: 0 });
    const seen: unknown[] = [];
    const ttlMs = learnedTtl<{ version: number }>({
      clock,
      fingerprint: (value) => {
        seen.push(value);
        return value.version;
      },
    });
    const cache = hub.cache<{ version: number }>('learned', { ttlMs, jitter: 0 });
    const entry = await cache.getOrSetEntry('k', () => ({ version: 1 }));
    expect(seen).toEqual([{ version: 1 }]);
    expect(entry.expiresMs - entry.createdMs).toBeGreaterThanOrEqual(1_000);
    await hub.close();
  });

  it('refuses bounds between which there is no life', () => {
    expect(() => learnedTtl({ minTtlMs: 0 })).toThrow('minTtlMs');
    expect(() => learnedTtl({ minTtlMs: 2, maxTtlMs: 1 })).toThrow('maxTtlMs');
    expect(() => learnedTtl({ maxStaleRatio: 0 })).toThrow('maxStaleRatio');
  });
});
