import { describe, expect, it } from '@jest/globals';
import { ManualClock } from '#libs/core';
import { EvictionPolicyRegistry } from './eviction-policy.registry.js';
import { MemoryStore } from './memory-store.js';
import type { MemoryStoreOptions, RemovalReason } from './memory-store.types.js';
import { RandomSource } from './random-source.js';

const registry = new EvictionPolicyRegistry();
const clock = new ManualClock();

function storeOf<Value = unknown>(options: MemoryStoreOptions<Value> = {}): MemoryStore<Value> {
  return new MemoryStore<Value>({ clock, clockResolutionMs: 0, hashSeed: 1, ...options });
}

function fill(store: MemoryStore<unknown>, items: number, ttlMs?: number): void {
  for (let item = 0; item < items; item += 1) store.set(`key:${item}`, item, { ttlMs });
}

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

describe('bounds', () => {
  it.each(registry.names)(
    'hold at every moment, and what is read is what was written: %s',
    (name) => {
      const store = storeOf<number>({ maxItems: 60, maxBytes: 20_000, policy: registry.get(name) });
      const random = new RandomSource(17);
      const written = new Map<string, number>();
      let limits = { maxItems: 60, maxBytes: 20_000 };
      const hold = (): void => {
        const { items, bytes } = store.stats();
        if (items > limits.maxItems || bytes > limits.maxBytes)
          throw new Error(`${items}, ${bytes}`);
      };
      store.onRemoval = hold;
      for (let step = 0; step < 6_000; step += 1) {
        const key = `key:${random.below(150)}`;
        const choice = random.below(20);
        if (choice < 9) {
          const value = store.get(key);
          if (value !== undefined && value !== written.get(key)) throw new Error(`stale ${key}`);
        } else if (choice < 17) {
          store.set(key, step, { weightBytes: random.below(2_000), ttlMs: 1 + random.below(500) });
          written.set(key, step);
        } else if (choice < 18) {
          store.delete(key);
          written.delete(key);
        } else if (choice < 19) clock.advance(random.below(20));
        else if (random.below(20) === 0) {
          limits = { maxItems: 1 + random.below(80), maxBytes: 2_000 + random.below(20_000) };
          store.onRemoval = undefined;
          store.resize(limits);
          store.onRemoval = hold;
        }
        hold();
      }
      const entries = [...store.entries()].map(([, entry]) => entry.weightBytes);
      store.sweep();
      expect(entries.reduce((sum, bytes) => sum + bytes, 0)).toBe(store.stats().bytes);
      store.clear();
      expect(store.stats()).toMatchObject({ items: 0, bytes: 0 });
    },
  );

  it('count key and overhead, so that many small entries do not pass for nothing', () => {
    const store = storeOf({ maxBytes: 100_000 });
    fill(store, 5_000);
    expect(store.size).toBeLessThan(800);
    expect(store.size).toBeGreaterThan(500);
  });

  it('keep out what is larger than the store, and drop the older value', () => {
    const store = storeOf<string>({ maxBytes: 10_000 });
    store.set('a', 'small');
    store.set('b', 'small');
    expect(store.set('a', 'x'.repeat(20_000))).toBe(false);
    expect([store.get('a'), store.get('b')]).toEqual([undefined, 'small']);
    expect(store.stats().rejected).toBe(1);
  });

  it('hold when a value grows in place', () => {
    const store = storeOf<string>({ maxBytes: 10_000, policy: registry.get('lru') });
    for (const key of ['a', 'b', 'c', 'd']) store.set(key, 'x'.repeat(2_000));
    const removed: string[] = [];
    store.onRemoval = (key) => removed.push(key);
    store.set('a', 'y'.repeat(7_500));
    expect(store.get('a')).toBe('y'.repeat(7_500));
    expect(removed).toEqual(['b', 'c']);
    expect(store.stats().bytes).toBeLessThan(10_000);
  });

  it('shrink at once, and give the slots back', () => {
    const store = storeOf({ maxItems: 10_000, policy: registry.get('lru') });
    fill(store, 10_000, 1_000_000);
    store.resize({ maxItems: 100 });
    expect(store.size).toBe(100);
    expect(store.get('key:9900')).toBe(9_900);
    expect(store.get('key:9899')).toBeUndefined();
    expect(store.peek('key:9950')?.expiresAtMs).toBe(clock.nowMs() + 1_000_000);
    fill(store, 200);
    expect(store.size).toBe(100);
    expect(store.get('key:199')).toBe(199);
  });

  it('may be widened', () => {
    const store = storeOf({ maxItems: 10 });
    fill(store, 20);
    store.resize({ maxItems: 50 });
    fill(store, 50);
    expect(store.stats()).toMatchObject({ items: 50, maxItems: 50 });
  });

  it.each([Number.NaN, -1])('must be numbers from 0 on, not %p', (limit) => {
    const store = storeOf({ maxItems: 5 });
    expect(() => storeOf({ maxBytes: limit })).toThrow(/maxBytes is .* must be a number from 0 on/);
    expect(() => store.resize({ maxItems: limit })).toThrow(/maxItems/);
    expect(() => store.resize({ maxItems: 2, maxBytes: limit })).toThrow(/maxBytes/);
    expect(store.stats().maxItems).toBe(5);
  });

  it('keep everything out when they leave no room', () => {
    const store = storeOf({ maxItems: 0 });
    expect(store.set('a', 1)).toBe(false);
    expect(store.get('a')).toBeUndefined();
  });

  it.each(['s3-fifo', 'w-tinylfu', 'learned'])('hold in bytes as entries come in: %s', (name) => {
    const maxBytes = 4 * 2 ** 20;
    const store = storeOf<Buffer>({ maxBytes, policy: registry.get(name) });
    for (let round = 0; round < 40; round += 1) {
      store.set(`large:${round}`, Buffer.alloc(2 ** 20));
      for (let small = 0; small < 50; small += 1) {
        store.set(`small:${round}:${small}`, Buffer.alloc(2 ** 10));
        expect(store.stats().bytes).toBeLessThanOrEqual(maxBytes);
      }
    }
    expect(store.stats().bytes).toBeGreaterThan(maxBytes / 2);
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
