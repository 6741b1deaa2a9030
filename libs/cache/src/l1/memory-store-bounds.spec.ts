import { describe, expect, it } from '@jest/globals';
import { RandomSource } from './random-source.js';
import { clock, fill, registry, storeOf } from './testing/test-store.js';

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
