import { describe, expect, it } from '@jest/globals';
import { isStorableJson, isStorableText } from './storable.js';

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { a: nested(levels - 1) };
}

describe('what PostgreSQL can keep', () => {
  it.each([
    ['plain', true],
    ['emoji 😀', true],
    ['a NUL \0 inside', false],
    ['half \ud800', false],
    ['\udc00 half', false],
  ])('of texts: %j', (text, expected) => {
    expect(isStorableText(text)).toBe(expected);
    expect(isStorableJson({ [text]: 1 }, 1000)).toBe(expected);
    expect(isStorableJson([{ a: text }], 1000)).toBe(expected);
  });

  it('of JSON: what is neither too large nor too deep', () => {
    expect(isStorableJson(nested(32), 10_000)).toBe(true);
    expect(isStorableJson(nested(33), 10_000)).toBe(false);
    expect(isStorableJson({ a: 'é'.repeat(50) }, 108)).toBe(true);
    expect(isStorableJson({ a: 'é'.repeat(50) }, 107)).toBe(false);
  });
});
