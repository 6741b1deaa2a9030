import { describe, expect, it } from '@jest/globals';
import { parameterLiteral } from './parameter-text.js';

describe('a parameter as a literal', () => {
  it.each([
    [null, 'NULL'],
    [undefined, 'NULL'],
    ['', `''`],
    [`it's`, `'it''s'`],
    [String.raw`a\'b`, String.raw`E'a\\''b'`],
    [0, `'0'`],
    [10n, `'10'`],
    [false, `'false'`],
    [new Date('2026-01-02T03:04:05Z'), `'2026-01-02T03:04:05.000Z'`],
    [Buffer.from('hi'), String.raw`E'\\x6869'`],
    [{ a: `'` }, `'{"a":"''"}'`],
    [['a "b"', null, ['c']], String.raw`E'{"a \\"b\\"",NULL,{"c"}}'`],
  ])('writes %p as %s', (value, literal) => {
    expect(parameterLiteral(value)).toBe(literal);
  });
});
