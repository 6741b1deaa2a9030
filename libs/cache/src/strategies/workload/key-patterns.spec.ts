import { describe, expect, it } from '@jest/globals';
import { type CountedKey, keyPatternsOf } from './key-patterns.js';

const counted = (keys: readonly string[]): CountedKey[] =>
  keys.map((key) => ({ key, reads: 1, bytes: 100 }));
const patternsOf = (keys: readonly string[]): string[] =>
  keyPatternsOf(counted(keys)).map(({ pattern }) => pattern);

describe('patterns of keys', () => {
  it('takes numbers, UUIDs and hashes for identifiers, and numbers the second one', () => {
    expect(
      patternsOf([
        'user:17:order:4',
        'user:0190a6f2-7c3e-7bb1-a111-0123456789ab:order:9f86d081884c7d659a2f',
      ]),
    ).toEqual(['user:{id}:order:{id2}']);
  });

  it('takes a place with many different words for a variable, and one with few for none', () => {
    const names = Array.from(
      { length: 40 },
      (_, at) => `city/${'abcdefghij'[at % 10]}${'klmn'[Math.floor(at / 10)]}`,
    );
    expect(patternsOf(names)).toEqual(['city/{id}']);
    expect(patternsOf(['report:daily', 'report:weekly'])).toEqual([
      'report:daily',
      'report:weekly',
    ]);
  });

  it('counts what follows a variable together', () => {
    const keys = Array.from({ length: 50 }, (_, at) => [
      `u:${at}:profile`,
      `u:${at}:orders`,
    ]).flat();
    expect(keyPatternsOf(counted(keys))).toEqual([
      { pattern: 'u:{id}:profile', share: 0.5, keys: 50, meanBytes: 100 },
      { pattern: 'u:{id}:orders', share: 0.5, keys: 50, meanBytes: 100 },
    ]);
  });

  it('puts the most read first and is bounded', () => {
    const keys = Array.from({ length: 100 }, (_, at) => `${'ab'.repeat(at % 30)}x:k:${at}`);
    expect(keyPatternsOf(counted(keys)).length).toBeLessThanOrEqual(20);
    const [first] = keyPatternsOf([
      { key: 'a:1', reads: 1, bytes: 1 },
      { key: 'b:1', reads: 9, bytes: 1 },
    ]);
    expect(first).toMatchObject({ pattern: 'b:{id}', share: 0.9 });
  });
});
