import { describe, expect, it } from '@jest/globals';
import { RandomSource } from '../l1/random-source.js';
import { boundedKey } from './bounded-key.js';
import { canonical, canonicalArguments } from './canonical.js';
import { differentArguments, shuffled } from './testing/key-generator.js';

class Point {
  constructor(
    readonly x: number,
    readonly y: number,
  ) {}
}

class Price {
  readonly #cents: number;
  constructor(cents: number) {
    this.#cents = cents;
  }
  toJSON(): number {
    return this.#cents;
  }
}

class Secret {
  readonly #value = 1;
  reveal(): number {
    return this.#value;
  }
}

describe('canonical keys', () => {
  it('do not depend on the order of properties, entries and members', () => {
    expect(canonical({ a: 1, b: { c: 2, d: 3 } })).toBe(canonical({ b: { d: 3, c: 2 }, a: 1 }));
    expect(canonical(new Set(['a', { x: 1, y: 2 }]))).toBe(
      canonical(new Set([{ y: 2, x: 1 }, 'a'])),
    );
    expect(
      canonical(
        new Map<unknown, unknown>([
          [1, 'a'],
          ['1', 'b'],
        ]),
      ),
    ).toBe(
      canonical(
        new Map<unknown, unknown>([
          ['1', 'b'],
          [1, 'a'],
        ]),
      ),
    );
  });

  it('tell values of different types and shapes apart', () => {
    const holes: unknown[] = [];
    holes.length = 1;
    const rows: unknown[][] = [
      [0, -0, Number.NaN, Infinity, -Infinity, 1, 1n, -1n, 1.5, '', '0', '1', 'NaN', 'null'],
      [null, undefined, true, false, 'true', 'undefined'],
      [[], {}, new Map(), new Set(), [undefined], [null], [[]], [{}], [0], [-0], ['0'], holes],
      [{ a: undefined }, { a: null }, { a: 1 }, { a: '1' }, { a: { b: 1 } }, { 'a.b': 1 }],
      [{ a: 1, b: 2 }, { a: '1,b:2' }, { ab: 1 }, ['a', 1], [['a', 1]], 'a', 'ab', ['a', 'b']],
      [new Map([['a', 1]]), new Set(['a', 1]), new Set(['a']), new Map([['a', undefined]])],
      [new Date(0), new Date(1), new Date(Number.NaN), '1970-01-01T00:00:00.000Z'],
      [Buffer.from('a'), new Uint8Array([97]), new Uint16Array([97]), Buffer.from('b')],
      [new Uint8Array([97]).buffer, new DataView(new Uint8Array([97]).buffer)],
      [/a/, /a/g, '/a/', Object('a'), Object(1), Object(1n), Symbol.for('a'), Symbol.for('b')],
      [new Point(1, 2), { x: 1, y: 2 }, new Price(100), 100, new Price(101)],
      [new URL('http://a/'), 'http://a/', new URL('http://b/')],
      ['\uD800', '\uD801', '"\\ud800"', '\\ud800', '😀', '\0', 's1:a'],
      [{ [Symbol.for('a')]: 1 }, { [Symbol.for('b')]: 1 }],
    ];
    const values = rows.flat();
    expect(new Set(values.map((value) => canonical(value))).size).toBe(values.length);
    const lists = values.filter((value) => value !== undefined).map((value) => [value]);
    expect(new Set(lists.map((args) => canonicalArguments(args))).size).toBe(lists.length);
  });

  it('tell apart what digests see as bytes only', () => {
    const long = 'x'.repeat(300);
    expect(boundedKey(canonical(`${long}\uD800`))).not.toBe(boundedKey(canonical(`${long}\uD801`)));
  });

  it('tell lists of arguments apart, but for undefined at the end', () => {
    const lists = [
      [],
      ['a'],
      ['a', 'b'],
      ['ab'],
      ['a,b'],
      [['a', 'b']],
      [undefined, 'a'],
      ['', ''],
    ];
    expect(new Set(lists.map((args) => canonicalArguments(args))).size).toBe(lists.length);
    expect(canonicalArguments(['a', undefined])).toBe(canonicalArguments(['a']));
  });

  it('take objects without a prototype, and the same object twice', () => {
    const bare = Object.assign(Object.create(null) as object, { a: 1 });
    expect(canonical(bare)).toBe(canonical({ a: 1 }));
    const shared = { a: 1 };
    expect(canonical([shared, shared])).toBe(canonical([{ a: 1 }, { a: 1 }]));
  });

  it('refuse what they cannot tell apart, and say where it is', () => {
    const cycle: Record<string, unknown> = { name: 'a' };
    cycle['next'] = { back: cycle };
    const of =
      (...args: unknown[]) =>
      () =>
        canonicalArguments(args);
    expect(of(1, cycle)).toThrow('argument 1.next.back: it contains itself');
    expect(of({ run: () => 1 })).toThrow('argument 0.run: it is a function');
    expect(of(Symbol('a'))).toThrow('argument 0: it is, or has, a symbol that is not registered');
    expect(of({ [Symbol('a')]: 1 })).toThrow('a symbol that is not registered');
    expect(of([new Secret()])).toThrow('argument 0.0: it is of the class Secret and shows no');
    expect(of(Promise.resolve())).toThrow('of the class Promise');
    expect(of(new AbortController().signal)).toThrow('AbortSignal');
    expect(() => canonical(new WeakMap())).toThrow(
      expect.objectContaining({ code: 'CACHE_KEY_INVALID', kind: 'internal' }),
    );
  });

  it('refuse what is too deep, and what a few objects would grow to', () => {
    let deep: unknown = 1;
    for (let depth = 0; depth < 10_000; depth += 1) deep = [deep];
    expect(() => canonical(deep)).toThrow('it is deeper than 100');
    let wide: unknown = 1;
    for (let depth = 0; depth < 40; depth += 1) wide = [wide, wide];
    expect(() => canonical(wide)).toThrow('it holds more than 1000000 values');
  });

  it('are the same for equal arguments however they are built', () => {
    const random = new RandomSource(7);
    for (const args of differentArguments(2_000)) {
      expect(canonicalArguments(shuffled(args, random) as unknown[])).toBe(
        canonicalArguments(args),
      );
    }
  });

  // 10,000,000 were run by hand with the same generator: no collision (docs/caching/decorators.md).
  it('never collide over 100,000 different lists of arguments', () => {
    const seen = new Set<string>();
    let count = 0;
    for (const args of differentArguments(100_000)) {
      seen.add(boundedKey(canonicalArguments(args)));
      count += 1;
    }
    expect(count).toBe(100_000);
    expect(seen.size).toBe(count);
  });
});

describe('boundedKey', () => {
  it('leaves short keys as they are, and gives long ones a digest of 256 bits', () => {
    expect(boundedKey('a'.repeat(200))).toBe('a'.repeat(200));
    expect(boundedKey('a'.repeat(201))).toMatch(/^#[\w-]{43}$/);
  });

  it('does not take a text for the digest of another', () => {
    const digest = boundedKey('a'.repeat(300));
    expect(boundedKey(digest)).not.toBe(digest);
    expect(boundedKey(boundedKey(digest))).not.toBe(boundedKey(digest));
  });
});
