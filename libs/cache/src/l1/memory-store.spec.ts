import { describe, expect, it } from '@jest/globals';
import type { RemovalReason } from './memory-store.types.js';
import { RandomSource } from './random-source.js';
import { clock, registry, storeOf } from './testing/test-store.js';

describe('a memory store', () => {
  it.each([0, '', false, null, Number.NaN, [], {}])('gives back %p as it was put in', (value) => {
    const store = storeOf();
    expect(store.set('a', value)).toBe(true);
    expect(store.get('a')).toBe(value);
    expect(store.stats()).toMatchObject({ hits: 1, misses: 0, sets: 1 });
  });

  it('answers undefined for what is not there', () => {
    const store = storeOf();
    expect(store.get('a')).toBeUndefined();
    expect(store.peek('a')).toBeUndefined();
    expect(store.has('a')).toBe(false);
    expect(store.delete('a')).toBe(false);
    expect(store.stats()).toMatchObject({ hits: 0, misses: 1 });
  });

  it('replaces a value and its life, and counts its bytes anew', () => {
    const store = storeOf<string>();
    store.set('a', 'x'.repeat(1_000), { ttlMs: 50 });
    const before = store.stats().bytes;
    store.set('a', 'x'.repeat(100));
    expect(before - store.stats().bytes).toBe(896);
    clock.advance(100);
    expect(store.get('a')).toHaveLength(100);
    expect(store.size).toBe(1);
  });

  it('deletes a key', () => {
    const store = storeOf();
    store.set('a', 1);
    expect(store.delete('a')).toBe(true);
    expect(store.get('a')).toBeUndefined();
    expect(store.stats()).toMatchObject({ items: 0, bytes: 0, removed: { deleted: 1 } });
  });

  it('peeks without counting a use', () => {
    const store = storeOf({ maxItems: 2, policy: registry.get('lru') });
    store.set('a', 1, { ttlMs: 1_000 });
    store.set('b', 2);
    expect(store.peek('a')).toMatchObject({ value: 1, expiresAtMs: clock.nowMs() + 1_000 });
    expect(store.peek('b')?.expiresAtMs).toBe(Number.POSITIVE_INFINITY);
    store.set('c', 3);
    expect(store.has('a')).toBe(false);
    expect(store.stats().hits).toBe(0);
  });

  it('lists what has not expired', () => {
    const store = storeOf();
    store.set('a', 1);
    store.set('b', 2, { ttlMs: 10 });
    store.set('c', 3, { ttlMs: 100 });
    clock.advance(10);
    expect([...store.entries()].map(([key, { value }]) => [key, value])).toEqual([
      ['a', 1],
      ['c', 3],
    ]);
  });
});

describe('a listener to removals', () => {
  it('is told of each entry that leaves, with the reason, and not of replacements', () => {
    const store = storeOf<number>({ maxItems: 3, policy: registry.get('fifo') });
    const removed: [string, number, RemovalReason][] = [];
    store.onRemoval = (...removal) => removed.push(removal);
    store.set('a', 1);
    store.set('a', 2);
    store.set('b', 3, { ttlMs: 10 });
    store.set('c', 4);
    store.set('d', 5);
    store.delete('c');
    clock.advance(10);
    store.get('b');
    store.clear();
    expect(removed).toEqual([
      ['a', 2, 'size'],
      ['c', 4, 'deleted'],
      ['b', 3, 'expired'],
      ['d', 5, 'deleted'],
    ]);
    expect(store.stats().removed).toEqual({ size: 1, expired: 1, deleted: 2 });
  });

  it('sees the store without the entry that left', () => {
    const store = storeOf<number>({ maxItems: 1 });
    const seen: unknown[] = [];
    store.onRemoval = (key) => seen.push([key, store.has(key), store.size]);
    store.set('a', 1);
    store.set('b', 2);
    expect(seen).toEqual([['a', false, 0]]);
  });
});

describe('an adaptive store', () => {
  it('changes its policy with the workload, and says why', () => {
    const policy = registry.adaptive(['lru', 'lfu']);
    const store = storeOf<number>({ maxItems: 200, policy });
    const touch = (key: string): void => {
      if (store.get(key) === undefined) store.set(key, 1, { weightBytes: 1 });
    };
    expect(store.stats().policyState).toMatchObject({ inForce: 'lru', switches: 0 });
    const random = new RandomSource(19);
    for (let step = 0; step < 15_000; step += 1) {
      touch(step % 2 === 0 ? `popular:${random.below(150)}` : `once:${step}`);
    }
    expect(store.stats().policyState).toMatchObject({
      inForce: 'lfu',
      switches: 1,
      reason: expect.stringMatching(/^it would have avoided \d+\.\d % of the misses of late$/),
    });
    for (let step = 0; step < 30_000; step += 1)
      touch(`drifting:${(step >> 5) + random.below(120)}`);
    expect(store.stats().policyState).toMatchObject({ inForce: 'lru', switches: 2 });
  });
});
