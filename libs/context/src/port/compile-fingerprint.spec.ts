import { describe, expect, it } from '@jest/globals';
import { compileFingerprint } from './compile-fingerprint.js';

const question = {
  scope: ['s1'],
  texts: ['a', 'b'],
  sources: [{ id: 'x', where: { k: 1, l: { m: [1, 2], n: null } } }, { id: 'y' }],
  recentLimit: 10,
  queryLimit: 5,
  limit: 20,
};

describe('the fingerprint of a compile', () => {
  it('is the same whatever the order of sources, texts and keys', () => {
    const other = {
      limit: 20,
      queryLimit: 5,
      recentLimit: 10,
      sources: [
        { id: 'y', where: {} },
        { where: { l: { n: null, m: [1, 2] }, k: 1 }, id: 'x' },
      ],
      texts: ['b', 'a', 'b'],
      scope: ['s1'],
    };
    expect(compileFingerprint(other)).toBe(compileFingerprint(question));
    expect(compileFingerprint(question)).toMatch(/^[\w-]{43}$/);
  });

  it.each([
    ['the scope', { scope: ['s2'] }],
    ['the texts', { texts: ['a'] }],
    ['a condition', { sources: [{ id: 'x', where: { k: '1' } }, { id: 'y' }] }],
    ['the order within an array', { sources: [{ id: 'x', where: { l: { m: [2, 1] } } }] }],
    ['a limit', { limit: 19 }],
  ])('differs with %s', (_, change) => {
    expect(compileFingerprint({ ...question, ...change })).not.toBe(compileFingerprint(question));
  });
});
