import type { RandomSource } from '../../l1/random-source.js';

/** Letters that canonical texts are made of, so that values look like them. */
const LETTERS = ['s', '1', ':', '{', '}', '[', ']', ';', 'u', '"', '\\', 'é', '\uD83D', '\uDE00'];
const PADDING = 'p'.repeat(210);

/** Each makes another value of each number; no two make the same. */
const MAKERS: readonly ((number: number) => unknown)[] = [
  (number) => textOf(number),
  (number) => PADDING + textOf(number),
  (number) => number,
  (number) => -(number + 0.5),
  (number) => BigInt(number),
  (number) => new Date(number),
  (number) => valuesOf(number),
  (number) => [valueOf(number)],
  (number) => ({ b: valueOf(number) }),
  (number) => {
    const [a, b] = valuesOf(number);
    return { a, b };
  },
  (number) => ({ [textOf(number)]: undefined }),
  // In a list, since Maps and Sets make 0 of -0.
  (number) => new Map([[[valueOf(number)], 1]]),
  (number) => new Set([[valueOf(number)], PADDING]),
  (number) => Buffer.from(textOf(number), 'utf16le'),
];
const CONSTANTS: readonly unknown[] = [null, true, false, -0, Number.NaN, Infinity, [], {}];

/** `count` lists of arguments of which no two are the same, from simple ones to nested ones. */
export function* differentArguments(count: number): Generator<unknown[]> {
  for (let number = 0; number < count; number += 1) {
    yield number % 2 === 0 ? [valueOf(number / 2)] : valuesOf((number - 1) / 2);
  }
}

/** The same values, with objects, Maps and Sets put together in another order. */
export function shuffled(value: unknown, random: RandomSource): unknown {
  if (Array.isArray(value)) return value.map((member) => shuffled(member, random));
  if (value instanceof Set) {
    return new Set(mixed([...value], random).map((member) => shuffled(member, random)));
  }
  if (value instanceof Map) {
    const entries = mixed([...value], random);
    return new Map(entries.map(([key, member]) => [shuffled(key, random), member]));
  }
  if (
    typeof value === 'object' &&
    value !== null &&
    Object.getPrototypeOf(value) === Object.prototype
  ) {
    const entries = mixed(Object.entries(value), random);
    return Object.fromEntries(entries.map(([name, member]) => [name, shuffled(member, random)]));
  }
  return value;
}

function mixed<Member>(members: Member[], random: RandomSource): Member[] {
  return members
    .map((member) => ({ member, at: random.below(1_000_000) }))
    .sort((one, other) => one.at - other.at)
    .map(({ member }) => member);
}

function valueOf(number: number): unknown {
  if (number < CONSTANTS.length) return CONSTANTS[number];
  const rest = number - CONSTANTS.length;
  const make = MAKERS[rest % MAKERS.length] as (number: number) => unknown;
  return make(Math.floor(rest / MAKERS.length));
}

/** Two values for a number, by the inverse of Cantor's pairing. */
function valuesOf(number: number): [unknown, unknown] {
  const diagonal = Math.floor((Math.sqrt(8 * number + 1) - 1) / 2);
  const second = number - (diagonal * (diagonal + 1)) / 2;
  return [valueOf(diagonal - second), valueOf(second)];
}

/** Every text over the letters, the short ones first. */
function textOf(number: number): string {
  let text = '';
  for (let rest = number; rest > 0; rest = Math.floor((rest - 1) / LETTERS.length)) {
    text += LETTERS[(rest - 1) % LETTERS.length] as string;
  }
  return text;
}
