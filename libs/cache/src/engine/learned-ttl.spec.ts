import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { CacheHub } from './cache-hub.js';
import { learnedTtl } from './learned-ttl.js';

describe('learnedTtl', () => {
  it('gives what stays the same a longer life, up to the longest', () => {
    const ttlOf = learnedTtl<object>({ minMs: 100, maxMs: 1_000 });
    const lives = Array.from({ length: 20 }, () => ttlOf({ same: true }, 'k'));
    expect(lives[0]).toBe(100);
    expect([...lives].sort((a, b) => a - b)).toEqual(lives);
    expect(lives.at(-1)).toBe(1_000);
  });

  it('gives what changes a shorter one, down to the shortest', () => {
    const ttlOf = learnedTtl<number>({ minMs: 100, maxMs: 1_000 });
    for (let index = 0; index < 20; index += 1) ttlOf(1, 'k');
    expect(ttlOf(2, 'k')).toBe(500);
    expect(ttlOf(3, 'k')).toBe(250);
    for (let value = 4; value < 10; value += 1) ttlOf(value, 'k');
    expect(ttlOf(10, 'k')).toBe(100);
  });

  it('knows the keys apart, as many as it may', () => {
    const ttlOf = learnedTtl<number>({ minMs: 100, maxMs: 1_000, maxKeys: 2 });
    ttlOf(1, 'a');
    expect(ttlOf(1, 'a')).toBeGreaterThan(100);
    expect(ttlOf(1, 'b')).toBe(100);
    ttlOf(1, 'c');
    expect(ttlOf(1, 'a')).toBe(100);
  });

  it('decides the life of what a cache loads', async () => {
    const clock = new ManualClock();
    const hub = new CacheHub({ clock, clockResolutionMs: 0 });
    const ttlMs = learnedTtl<{ version: number }>({
      minMs: 100,
      maxMs: 10_000,
      fingerprint: ({ version }) => version,
    });
    const cache = hub.cache<{ version: number }>('learned', { ttlMs, jitter: 0 });
    for (const life of [100, 126]) {
      await cache.getOrSet('k', () => ({ version: 1 }));
      expect((await cache.getEntry('k'))?.expiresMs).toBeCloseTo(clock.nowMs() + life, -1);
      clock.advance(life + 1);
    }
  });

  it('refuses lives that make no sense', () => {
    expect(() => learnedTtl({ minMs: 0, maxMs: 1 })).toThrow('minMs');
    expect(() => learnedTtl({ minMs: 2, maxMs: 1 })).toThrow('maxMs');
  });
});
