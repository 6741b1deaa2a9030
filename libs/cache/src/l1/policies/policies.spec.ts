import { describe, expect, it } from '@jest/globals';
import { EvictionPolicyRegistry } from '../eviction-policy.registry.js';
import { RandomSource } from '../random-source.js';
import { ShadowCache } from '../shadow-cache.js';
import { evictionPolicyContract } from '../testing/eviction-policy.contract.js';
import {
  naiveFifo,
  naiveLfu,
  naiveLru,
  naiveS3Fifo,
  naiveSieve,
  type NaiveCache,
} from '../testing/naive-policies.js';
import { scoredBy } from './scored.policy.js';

const registry = new EvictionPolicyRegistry();
registry.registerScore('custom', (entry) => entry.hits / (1 + entry.idle));

for (const name of registry.names) evictionPolicyContract(name, registry.get(name));

/** Keys with a few popular ones, repeats, and runs that never come again. */
function workload(seed: number, length: number, keys: number): number[] {
  const random = new RandomSource(seed);
  const accesses: number[] = [];
  let fresh = keys;
  while (accesses.length < length) {
    const kind = random.below(10);
    if (kind < 6) accesses.push(Math.floor(keys * (random.below(1_000) / 1_000) ** 3));
    else if (kind < 9) accesses.push(accesses.at(-1 - random.below(20)) ?? 0);
    else for (let run = random.below(8); run > 0; run -= 1) accesses.push(fresh++);
  }
  return accesses;
}

function shadowOf(name: string, items: number): ShadowCache {
  const limits = { maxItems: items, maxBytes: Number.POSITIVE_INFINITY };
  return new ShadowCache(registry.get(name), items, limits);
}

describe.each<[string, (capacity: number) => NaiveCache]>([
  ['fifo', naiveFifo],
  ['lru', naiveLru],
  ['lfu', naiveLfu],
  ['sieve', naiveSieve],
  ['s3-fifo', (capacity) => naiveS3Fifo(capacity, 0.25, 1)],
])('%s', (name, naive) => {
  it.each([1, 2, 3, 10, 37, 64])(
    'hits and misses as a plain one does, with %i entries',
    (items) => {
      for (let seed = 1; seed <= 3; seed += 1) {
        const shadow = shadowOf(name, items);
        const reference = naive(items);
        for (const [at, key] of workload(seed, 2_000, 150).entries()) {
          const expected = reference(key);
          if (shadow.access(key + 1, 1) !== expected) {
            throw new Error(`access ${at} to key ${key}, seed ${seed}: expected ${expected}`);
          }
        }
      }
    },
  );
});

/** Misses of a policy on a sequence of keys. */
function misses(name: string, items: number, accesses: Iterable<number>): number {
  const shadow = shadowOf(name, items);
  let count = 0;
  // Spread over the whole range, as hashes of keys are: the sampling policies go by it.
  for (const key of accesses)
    if (!shadow.access(Math.imul(key + 1, 0x9e3779b1) >>> 0, 1)) count += 1;
  return count;
}

function* circle(keys: number, length: number): Generator<number> {
  for (let at = 0; at < length; at += 1) yield at % keys;
}

/** Popular keys with one-time keys in between. */
function* polluted(length: number): Generator<number> {
  const random = new RandomSource(5);
  for (let at = 0; at < length; at += 1) {
    yield at % 3 === 0 ? 10_000 + at : Math.floor(200 * (random.below(1_000) / 1_000) ** 2);
  }
}

describe('a policy with admission', () => {
  it.each(['s3-fifo', 'w-tinylfu', 'learned', 'adaptive', 'sieve'])(
    'keeps popular keys when one-time keys pass by: %s',
    (name) => {
      const lru = misses('lru', 100, polluted(12_000));
      expect(misses(name, 100, polluted(12_000)) / lru).toBeLessThan(0.95);
    },
  );

  it.each(['learned', 'adaptive'])(
    'learns to keep a part of a circle that does not fit: %s',
    (name) => {
      expect(misses('lru', 300, circle(1_000, 100_000))).toBe(100_000);
      expect(misses(name, 300, circle(1_000, 100_000))).toBeLessThan(80_000);
    },
  );
});

describe('random', () => {
  it('takes every entry with about the same chance', () => {
    const shadow = shadowOf('random', 10);
    for (let key = 1; key <= 10; key += 1) shadow.access(key, 1);
    // Of ten entries that are each replaced with a chance of a tenth about 1 in 3 survive ten newcomers.
    let survivors = 0;
    for (let round = 0; round < 2_000; round += 1) {
      for (let fresh = 0; fresh < 10; fresh += 1) shadow.access(1_000 + round * 10 + fresh, 1);
      for (let key = 1; key <= 10; key += 1) if (shadow.access(key, 1)) survivors += 1;
    }
    expect(survivors / 20_000).toBeGreaterThan(0.1);
    expect(survivors / 20_000).toBeLessThan(0.6);
  });
});

describe('a policy from a function', () => {
  it('evicts what the function scores lowest', () => {
    const table = { maxItems: 3, maxBytes: Number.POSITIVE_INFINITY };
    const largest = scoredBy('largest first', ({ weightBytes }) => -weightBytes);
    const shadow = new ShadowCache(largest, 3, table);
    for (const weight of [10, 30, 20, 5]) shadow.access(weight, weight);
    expect([10, 20, 5].map((hash) => shadow.access(hash, hash))).toEqual([true, true, true]);
  });

  it('knows hits, age and idle time', () => {
    const seen: unknown[] = [];
    const spy = scoredBy('spy', (entry) => seen.push({ ...entry }));
    const shadow = new ShadowCache(spy, 2, { maxItems: 2, maxBytes: 1_000 });
    for (const hash of [1, 2, 1, 1, 3]) shadow.access(hash, 7);
    expect(seen).toEqual([
      { key: '', weightBytes: 7, hits: 2, age: 3, idle: 0 },
      { key: '', weightBytes: 7, hits: 0, age: 2, idle: 2 },
    ]);
  });
});

describe('the registry of policies', () => {
  it('names the known policies when one is unknown', () => {
    expect(() => registry.get('clock')).toThrow(/no eviction policy "clock".*s3-fifo, lru/);
  });

  it('refuses a second policy of the same name', () => {
    expect(() => registry.registerScore('lru', () => 0)).toThrow(/"lru" already/);
  });

  it('makes an adaptive policy of other candidates', () => {
    const mine = new EvictionPolicyRegistry();
    mine.register('mine', mine.adaptive(['lru', 'lfu']));
    const shadow = new ShadowCache(mine.get('mine'), 10, { maxItems: 10, maxBytes: 1_000 });
    expect(shadow.policy.describe()).toMatchObject({ inForce: 'lru', switches: 0 });
  });
});
