import { describe, expect, it } from '@jest/globals';
import { storableTexts } from './entry-texts.js';

describe('storableTexts', () => {
  it('leaves a text that fits as it is, without its margins and NULs', () => {
    expect(storableTexts('\n a\0b \n', 100)).toEqual(['ab']);
    expect(storableTexts(' \0\n', 100)).toEqual([]);
  });

  it('cuts at paragraphs, else lines, else words, else anywhere', () => {
    expect(storableTexts('one two\n\nthree four', 12)).toEqual(['one two', 'three four']);
    expect(storableTexts('one two\nthree four', 12)).toEqual(['one two', 'three four']);
    expect(storableTexts('one two three', 9)).toEqual(['one two', 'three']);
    expect(storableTexts('abcdefgh', 3)).toEqual(['abc', 'def', 'gh']);
  });

  it('counts bytes and tears no character', () => {
    const text = '\uFEFFä🙂'.repeat(50);
    const pieces = storableTexts(text, 20);
    expect(pieces.every((piece) => Buffer.byteLength(piece) <= 20)).toBe(true);
    expect(pieces.join('').replaceAll('\uFEFF', '')).toBe('ä🙂'.repeat(50));
  });
});
