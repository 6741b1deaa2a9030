import { describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { compileSerializer, hasTimes } from './compile-serializer.js';
import { writeTime } from './write-date.js';

const entrySchema = z.object({
  id: z.uuid(),
  kind: z.enum(['one', 'two']),
  name: z.string().nullable(),
  count: z.int(),
  ratio: z.number().nullable(),
  isSet: z.boolean(),
  at: z.iso.datetime(),
  lastAt: z.iso.datetime().nullable(),
  'odd "key`${x}': z.string(),
  note: z.string().optional(),
  tags: z.array(z.string()).optional(),
  metadata: z.record(z.string(), z.unknown()).optional(),
  either: z.union([z.string(), z.number()]).optional(),
});
const pageSchema = z.object({ items: z.array(entrySchema), nextCursor: z.string().nullable() });
const write = compileSerializer(pageSchema);

let seed = 7;
function random(below: number): number {
  seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fff_ffff;
  return seed % below;
}
const one = <Value>(...values: Value[]): Value => values[random(values.length)] as Value;

const text = (): string =>
  one(
    '',
    'plain',
    'a "quoted" text',
    'back\\slash',
    'line\nbreak\u0000\u001f',
    'hällo wörld',
    '漢字かな',
    '😀',
    '\ud83d',
    'half \udc00 of it',
    '</script>\u2028\u2029',
    'x'.repeat(random(90)),
  );
const time = (): Date =>
  new Date(
    one(0, -1, 1, Date.UTC(9999, 11, 31, 23, 59, 59, 999), 1e15, NaN, random(2 ** 30) * 1_700),
  );
/** What a handler answers when all is well, and what none should. */
const anything = (): unknown =>
  one<unknown>(
    null,
    undefined,
    true,
    0,
    -0,
    1.5,
    1e21,
    NaN,
    Infinity,
    text(),
    time(),
    [],
    {},
    [undefined, () => 1, Symbol('s')],
    { toJSON: () => 'own' },
    { nested: { deep: [time(), text()] } },
    Object.assign(new Date(0), { toJSON: () => 'late' }),
    () => 1,
    Symbol('s'),
    new Map([[1, 2]]),
    new Float64Array(2),
  );

function entry(isOdd: boolean): Record<string, unknown> {
  const made: Record<string, unknown> = {
    id: text(),
    kind: one('one', 'two'),
    name: one(null, text()),
    count: random(1e6),
    ratio: one(null, 0.1, -1e-9),
    isSet: one(true, false),
    at: one<unknown>(time(), '2026-01-01T00:00:00.000Z'),
    lastAt: one(null, time()),
    'odd "key`${x}': text(),
    ...one({}, { note: text() }, { note: undefined }),
    ...one({}, { tags: [text(), text()] }),
    ...one({}, { metadata: { free: anything() } }),
    ...one({}, { either: one<unknown>(1, text()) }),
  };
  if (!isOdd) return made;
  const names = Object.keys(made);
  const name = one(...names, 'more', '__proto__');
  if (random(4) === 0) delete made[name];
  else
    Object.defineProperty(made, name, { value: anything(), enumerable: true, configurable: true });
  return made;
}

/** As clients read it; the order of properties says nothing. */
const read = (json: string | undefined): unknown =>
  json === undefined ? undefined : JSON.parse(json);

describe('a serializer of a schema', () => {
  it('writes what JSON.stringify writes, whatever is given to it', () => {
    for (let turn = 0; turn < 3_000; turn += 1) {
      const isOdd = turn % 2 === 0;
      const page = {
        items: Array.from({ length: random(4) }, () => entry(isOdd)),
        nextCursor: one(null, text()),
        ...(isOdd ? one({}, { more: anything() }, { items: anything() }) : {}),
      };
      const written = write(page);
      expect(read(written)).toEqual(read(JSON.stringify(page)));
      expect(written).toHaveLength(JSON.stringify(page).length);
    }
  });

  it('takes a root of any kind', () => {
    for (let turn = 0; turn < 500; turn += 1) {
      const value = anything();
      expect(write(value)).toBe(JSON.stringify(value));
    }
  });

  it('is as good as JSON.stringify for schemas that it cannot use', () => {
    const values = [{ a: 1 }, [1], 'text', null];
    const schemas = [
      z.any(),
      z.union([z.string(), z.object({ a: z.number() })]),
      z.record(z.string(), z.any()),
    ];
    for (const schema of schemas) {
      for (const value of values) {
        expect(compileSerializer(schema)(value)).toBe(JSON.stringify(value));
      }
    }
  });

  it('knows where it pays', () => {
    expect(hasTimes(pageSchema)).toBe(true);
    expect(hasTimes(z.object({ name: z.string() }))).toBe(false);
    expect(hasTimes(z.object({ name: z.string(), at: z.iso.datetime().optional() }))).toBe(false);
  });
});

describe('a time in JSON', () => {
  it('is written as Date does, in any order of days', () => {
    for (let turn = 0; turn < 3_000; turn += 1) {
      const date = time();
      expect(writeTime(date.getTime())).toBe(JSON.stringify(date));
    }
  });
});
