import { describe, expect, it } from '@jest/globals';
import { matchesShown } from './expected-output.js';

describe('matchesShown', () => {
  it.each([
    ['a\nb', 'a\nb\n', true],
    ['a\nb', 'a', false],
    ['a', 'a\nb', false],
    ['id … end', 'id 42 end', true],
    ['id … end', 'id 42 stop', false],
    ['…\nb', 'x\ny\nb', true],
    ['a\n…\nd', 'a\nd', true],
    ['a\n…\nd', 'a\nb\nc\nd', true],
    ['a\n…\nd', 'a\nb\nc', false],
    ['a\n…', 'a\nb\nc', true],
    ['a\n…', 'a', true],
    ['a.c', 'abc', false],
    ['{ "n": … }', '{ "n": 1 }', true],
  ])('compares %j with %j: %s', (shown, printed, same) => {
    expect(matchesShown(shown, printed)).toBe(same);
  });
});
