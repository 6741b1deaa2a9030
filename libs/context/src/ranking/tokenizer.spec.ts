import { describe, expect, it } from '@jest/globals';
import { hashOf, tokenize } from './tokenizer.js';

const words = (text: string): string[] => tokenize(text).map((term) => term.text);

describe('tokenize', () => {
  it.each([
    ['', []],
    ['?! – …', []],
    ['Hello, World', ['hello', 'world']],
    ['connected connection connections', ['connect', 'connect', 'connect']],
    ['Café naïve', ['cafe', 'naiv']],
    ['getMostRecent', ['getmostrec', 'get', 'most', 'recent']],
    ['HTTPServer', ['httpserver', 'http', 'server']],
    ['snake_case-and.dots/slashes', ['snake', 'case', 'and', 'dot', 'slash']],
    ['v1.20.3', ['v1', '20', '3']],
    ['東京都', ['東京', '京都']],
    ['漢', ['漢']],
    ['Привет мир', ['привет', 'мир']],
    ['a😀b', ['a', 'b']],
    ['𝒜𝒷', ['ab']],
    ["it's", ['it', 's']],
  ])('reads %j', (text, expected) => {
    expect(words(text)).toEqual(expected);
  });

  it('cuts words that are no words', () => {
    expect(words('x'.repeat(5000)).map((word) => word.length)).toEqual([64]);
  });

  it('reads long sentences of scripts without spaces to their end', () => {
    const sentence = Array.from({ length: 200 }, (_, at) => String.fromCodePoint(0x4e00 + at));
    const pairs = sentence.slice(1).map((character, at) => `${sentence[at]}${character}`);
    expect(words(sentence.join(''))).toEqual(pairs);
  });

  it('gives words of any text that can be quoted', () => {
    const text = String.fromCodePoint(
      ...Array.from({ length: 0xd7ff }, (_, code) => code).filter((code) => code > 0),
    );
    for (const word of words(Array.from(text).join(' '))) expect(word).not.toMatch(/['\\@]/);
  });

  it('forgets words when it knows too many, and still reads them the same', () => {
    const before = words('stable words');
    for (let index = 0; index < 70_000; index += 1) tokenize(`filler${index}`);
    expect(words('stable words')).toEqual(before);
  });
});

describe('hashOf', () => {
  it('spreads words over 24 bits', () => {
    const hashes = Array.from({ length: 10_000 }, (_, index) => hashOf(`word${index}`));
    for (const hash of hashes) expect(hash).toBe(hash & 0xff_ffff);
    // Of ten thousand draws from 2^24, some three pairs meet by chance.
    expect(new Set(hashes).size).toBeGreaterThan(9_985);
  });
});
