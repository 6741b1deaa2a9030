import { describe, expect, it } from '@jest/globals';
import { arrayElements } from './array-literal.js';

describe('the elements of an array literal', () => {
  it.each([
    ['{}', []],
    ['{a,b c,1}', ['a', 'b c', '1']],
    [String.raw`{"a,b","c\"d","e\\f",""}`, ['a,b', 'c"d', String.raw`e\f`, '']],
    ['{NULL,"NULL"}', [null, 'NULL']],
  ])('of %s', (literal, elements) => {
    expect(arrayElements(literal)).toEqual(elements);
  });
});
