import { afterEach, describe, expect, it } from '@jest/globals';
import { type CacheLoad, cacheLoad } from '../statistics/cache.channels.js';
import { CacheHub } from './cache-hub.js';
import { cacheOf, clock, hub, renewHub } from './testing/test-hub.js';

describe('Cache', () => {
  afterEach(renewHub);

  it.each([0, '', false, null, Number.NaN])('keeps %p as a value', async (value) => {
    const cache = cacheOf<unknown>();
    let loads = 0;
    const load = (): unknown => {
      loads += 1;
      return value;
    };
    expect(await cache.getOrSet('k', load)).toBe(value);
    expect(await cache.getOrSet('k', load)).toBe(value);
    expect(loads).toBe(1);
    expect(await cache.getEntry('k')).toMatchObject({ value, source: 'L1' });
    await cache.set('written', value);
    expect((await cache.getMany(['written'])).has('written')).toBe(true);
  });

  it('takes undefined for no value, and stores that only when it has a life', async () => {
    const cache = cacheOf<number | undefined>();
    let loads = 0;
    const load = (): undefined => void (loads += 1);
    await cache.getOrSet('k', load);
    await cache.getOrSet('k', load);
    expect(loads).toBe(2);
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    expect(loads).toBe(3);
    expect(await cache.getEntry('k')).toMatchObject({ value: undefined });
    clock.advance(100);
    await cache.getOrSet('k', load, { absentTtlMs: 100 });
    expect(loads).toBe(4);
    await cache.set('k', 1);
    await cache.set('k', undefined);
    expect(await cache.getEntry('k')).toBeUndefined();
  });

  it('forgets after the life of a value, which may depend on the value', async () => {
    const cache = cacheOf<number>({ ttlMs: (value) => value });
    await cache.getOrSet('k', () => 50);
    clock.advance(49);
    expect(await cache.get('k')).toBe(50);
    clock.advance(1);
    expect(await cache.get('k')).toBeUndefined();
    await cache.getOrSet('k', () => 0);
    expect(await cache.get('k')).toBeUndefined();
  });

  it('spreads the ends of entries that are written together', async () => {
    const cache = cacheOf<number>({ jitter: 0.2 });
    const ends = new Set<number>();
    for (let index = 0; index < 200; index += 1) {
      await cache.set(`k${index}`, index);
      ends.add((await cache.getEntry(`k${index}`))?.expiresMs ?? 0);
    }
    expect(ends.size).toBeGreaterThan(50);
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(clock.nowMs() + 800);
    expect(Math.max(...ends)).toBeLessThanOrEqual(clock.nowMs() + 1_001);
  });

  it('is bounded by items and by bytes, at once when it shrinks', async () => {
    const cache = cacheOf<string>({ maxItems: 10, maxBytes: 1_000_000 });
    for (let index = 0; index < 50; index += 1) await cache.set(`k${index}`, 'x'.repeat(50_000));
    expect(cache.statistics().items).toBe(10);
    cache.resize({ maxBytes: 200_000 });
    expect(cache.statistics().bytes).toBeLessThanOrEqual(200_000);
    expect(cache.statistics().items).toBeLessThan(5);
  });

  it('shares the object, freezes it or gives copies, as asked', async () => {
    const shared = cacheOf<{ list: number[] }>();
    const value = { list: [1] };
    await shared.set('k', value);
    expect(await shared.get('k')).toBe(value);
    const frozen = cacheOf<{ list: number[] }>({ freeze: true });
    await frozen.set('k', { list: [1] });
    const kept = await frozen.getOrSet('k', () => ({ list: [] }));
    expect(Object.isFrozen(kept.list)).toBe(true);
    const cloned = cacheOf<{ list: number[] }>({ clone: true });
    await cloned.set('k', { list: [1] });
    const copy = await cloned.getOrSet('k', () => ({ list: [] }));
    copy.list.push(2);
    expect(await cloned.get('k')).toEqual({ list: [1] });
  });

  it('leaves nothing behind of work that has ended', async () => {
    const cache = cacheOf<number>({ tags: ['red'] });
    await Promise.all(
      Array.from({ length: 50 }, (_, index) => cache.getOrSet(`k${index}`, () => index)),
    );
    await hub.drain();
    expect(hub.backgroundTasks).toBe(0);
    const { core } = cache as unknown as {
      core: { guards: { size: number } };
    };
    expect(core.guards.size).toBe(0);
  });

  it('counts reads, loads, hot and missed keys, and tells of loads', async () => {
    const loads: CacheLoad[] = [];
    const leave = cacheLoad.subscribe((load) => loads.push(load));
    const cache = cacheOf<number>();
    for (let index = 0; index < 640; index += 1) await cache.getOrSet('hot', () => 1);
    await cache.get('absent');
    leave();
    const { namespace } = cache;
    expect(loads).toMatchObject([
      { namespace, key: 'hot', outcome: 'stored', isBackground: false },
    ]);
    expect(cache.statistics()).toMatchObject({
      namespace,
      l1Hits: 639,
      l1Misses: 2,
      loads: 1,
      items: 1,
      hotKeys: [{ key: 'hot', count: 9 }],
      missedKeys: [
        { key: 'hot', count: 1 },
        { key: 'absent', count: 1 },
      ],
    });
  });

  it('closes although a loader hangs, and twice', async () => {
    const own = new CacheHub({ clock, clockResolutionMs: 0 });
    void own.cache('hangs').getOrSet('k', () => new Promise(() => undefined));
    await own.close(5);
    await own.close();
    expect(own.backgroundTasks).toBe(1);
  });

  it('refuses options that cannot work', () => {
    expect(() => cacheOf({ ttlMs: -1 })).toThrow('ttlMs');
    expect(() => cacheOf({ jitter: 2 })).toThrow('jitter');
    expect(() => hub.cache('a:b')).toThrow('a:b');
  });
});
