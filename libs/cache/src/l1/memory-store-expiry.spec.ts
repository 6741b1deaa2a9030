import { describe, expect, it } from '@jest/globals';
import { clock, fill, storeOf } from './testing/test-store.js';

describe('expiry', () => {
  it('ends a life at its moment, relative or absolute', () => {
    const store = storeOf();
    store.set('a', 1, { ttlMs: 100 });
    store.set('b', 1, { expiresAtMs: clock.nowMs() + 100, ttlMs: 5 });
    clock.advance(99);
    expect([store.get('a'), store.get('b')]).toEqual([1, 1]);
    clock.advance(1);
    expect([store.get('a'), store.get('b')]).toEqual([undefined, undefined]);
    expect(store.stats()).toMatchObject({ items: 0, misses: 2, removed: { expired: 2 } });
  });

  it('takes no entry whose life is over, and drops the older value', () => {
    const store = storeOf();
    store.set('a', 1);
    expect(store.set('a', 2, { ttlMs: 0 })).toBe(false);
    expect(store.set('b', 2, { expiresAtMs: clock.nowMs() - 1 })).toBe(false);
    expect(store.size).toBe(0);
  });

  it('treats a life without end as none', () => {
    const store = storeOf();
    store.set('a', 1, { ttlMs: Number.POSITIVE_INFINITY });
    expect(store.peek('a')?.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('does not bring an expired entry back when its key is deleted', () => {
    const store = storeOf();
    store.set('a', 1, { ttlMs: 10 });
    clock.advance(10);
    expect(store.has('a')).toBe(false);
    expect(store.delete('a')).toBe(false);
    expect(store.stats().removed).toEqual({ size: 0, expired: 1, deleted: 0 });
  });

  it('removes the expired when it is swept, a part at a time if asked to', () => {
    const store = storeOf();
    fill(store, 100, 10);
    store.set('stays', 1);
    clock.advance(10);
    const part = store.sweep(30);
    expect(part).toBeGreaterThanOrEqual(29);
    expect(part).toBeLessThanOrEqual(30);
    expect(store.sweep()).toBe(100 - part);
    expect(store.sweep()).toBe(0);
    expect(store.size).toBe(1);
  });

  it('removes the expired as newcomers come, before it evicts the living', () => {
    const store = storeOf({ maxItems: 1_000 });
    for (let item = 0; item < 500; item += 1) {
      store.set(`dies:${item}`, 1, { ttlMs: 10 });
      store.set(`lives:${item}`, 1);
    }
    clock.advance(10);
    for (let item = 0; item < 500; item += 1) store.set(`new:${item}`, 1);
    expect(store.stats().removed.expired).toBeGreaterThan(450);
    expect(store.stats().removed.size).toBeLessThan(50);
  });

  it('serves nothing that expired 256 hits ago, even if the event loop stands still', () => {
    const coarse = storeOf({ clockResolutionMs: 1_000 });
    coarse.set('a', 1, { ttlMs: 10 });
    expect(coarse.get('a')).toBe(1);
    clock.advance(10);
    let hits = 0;
    while (coarse.get('a') !== undefined) hits += 1;
    expect(hits).toBeLessThanOrEqual(256);
  });
});
