import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from '@jest/globals';
import { MemoryStore } from './memory-store.js';
import { sizeOf } from './sizer.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

/** Bytes of the heap and of the buffers outside it, without garbage. */
async function bytesInUse(): Promise<number> {
  for (let round = 0; round < 3; round += 1) {
    collectGarbage();
    // What the last test held is let go, and buffers are freed, between turns of the event loop.
    await new Promise(setImmediate);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

/** A flat string that shares nothing with another. */
function text(length: number, salt: number): string {
  return Buffer.alloc(length, `${salt}.`).toString('latin1');
}

const row = (salt: number): string =>
  JSON.stringify({
    id: text(36, salt),
    text: text(180, salt),
    role: 'user',
    occurredAt: text(24, salt),
    importance: 5,
    pinned: false,
    metadata: { lang: 'en', score: 0.25 + salt, author: { name: text(20, salt), age: salt } },
    tags: ['a', 'b'],
  });

const kinds: Readonly<Record<string, (salt: number) => unknown>> = {
  'short strings': (salt) => text(30, salt),
  'long strings': (salt) => text(5_000, salt),
  'strings beyond Latin-1': (salt) => `€${text(300, salt)}`.normalize(),
  'parsed rows': (salt) => JSON.parse(row(salt)) as unknown,
  'lists of parsed rows': (salt) =>
    JSON.parse(
      `[${Array.from({ length: 50 }, (_, index) => row(salt * 50 + index)).join()}]`,
    ) as unknown,
  literals: (salt) => ({ a: salt, b: { c: salt, d: [salt, salt + 1, salt + 2] }, e: null }),
  buffers: (salt) => Buffer.alloc(1_000, salt),
  'typed arrays': () => new Float64Array(200),
  'arrays of whole numbers': (salt) => Array.from({ length: 200 }, (_, index) => salt + index),
  'arrays of fractions': (salt) => Array.from({ length: 200 }, (_, index) => salt + index + 0.5),
  'arrays that grew': (salt) => {
    const array: number[] = [];
    for (let index = 0; index < 150; index += 1) array.push(salt + index);
    return array;
  },
  maps: (salt) => new Map(Array.from({ length: 40 }, (_, index) => [salt + index, index])),
  sets: (salt) => new Set(Array.from({ length: 40 }, (_, index) => salt + index)),
  dates: (salt) => new Date(salt),
  'objects with very many keys': (salt) =>
    JSON.parse(
      `{${Array.from({ length: 300 }, (_, key) => `"k${key}":${salt + key}`).join()}}`,
    ) as unknown,
};

describe('the size of a value', () => {
  it.each(Object.keys(kinds))('is within 1.3 times of what the heap grows by: %s', async (kind) => {
    const make = kinds[kind] as (salt: number) => unknown;
    for (let salt = 0; salt < 100; salt += 1) make(salt);
    const items = Math.ceil(4_000_000 / sizeOf(make(1)));
    const values: unknown[] = Array.from({ length: items }, () => null);
    const before = await bytesInUse();
    for (let item = 0; item < items; item += 1) values[item] = make(1_000 + item);
    const grown = (await bytesInUse()) - before;
    const counted = values.reduce<number>((sum, value) => sum + sizeOf(value), 0);
    expect(grown / counted).toBeLessThan(1.3);
    expect(grown / counted).toBeGreaterThan(1 / 1.35);
  });

  it('counts what is referred to twice once, and ends where values go in circles', () => {
    const shared = { text: text(10_000, 1) };
    const twice: Record<string, unknown> = { a: shared, b: shared };
    twice['self'] = twice;
    expect(sizeOf(twice)).toBeLessThan(11_000);
    expect(sizeOf({ a: shared, b: structuredClone(shared) })).toBeGreaterThan(20_000);
  });

  it('measures a sample of a long array', () => {
    const long = Array.from({ length: 10_000 }, (_, index) => ({ id: text(30, index) }));
    const each = sizeOf(long[0]);
    expect(sizeOf(long)).toBeCloseTo(48 + 10_000 * (10 + each), -3);
  });

  it('counts all of a buffer that a view keeps, but not the pool that small ones share', () => {
    expect(sizeOf(Buffer.alloc(100_000).subarray(0, 100))).toBeGreaterThan(100_000);
    expect(sizeOf(Buffer.from('small'))).toBeLessThan(300);
  });

  it.each([undefined, null, true, 5, -3])(
    'is nothing for %p, which stands in the reference',
    (value) => {
      expect(sizeOf(value)).toBe(0);
    },
  );

  it.each([1.5, 2 ** 40, 10n, 'a text', Symbol.iterator, () => 1, /x/, new Error('x')])(
    'is a number for %p',
    (value) => {
      expect(sizeOf(value)).toBeGreaterThanOrEqual(0);
      expect(sizeOf([value, value])).toBeGreaterThan(0);
    },
  );
});

describe('the bytes of a store', () => {
  it.each<[string, (salt: number) => unknown]>([
    ['1 KB', (salt) => text(1_000, salt)],
    ['1 MB', (salt) => text(1_000_000, salt)],
    ['numbers', (salt) => salt],
    ['rows', (salt) => JSON.parse(row(salt)) as unknown],
  ])('bound what the process grows by, within 1.3 times: %s', async (_, make) => {
    const maxBytes = 8_000_000;
    const store = new MemoryStore<unknown>({ maxBytes });
    const before = await bytesInUse();
    for (let item = 0; store.stats().removed.size < 50; item += 1) {
      store.set(`key:${item}`, make(item));
    }
    const grown = (await bytesInUse()) - before;
    expect(store.stats().bytes).toBeLessThanOrEqual(maxBytes);
    expect(grown).toBeLessThan(1.3 * maxBytes);
    expect(grown).toBeGreaterThan(0.6 * maxBytes);
  });
});
