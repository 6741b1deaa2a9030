import { describe, expect, it } from '@jest/globals';
import { VerifiedTokenCache } from './verified-token.cache.js';

const claims = (expiresAtMs: number) => ({ userId: 'u', sessionId: 's', expiresAtMs, keyEpoch: 0 });

describe('VerifiedTokenCache', () => {
  it('remembers a token until it expires, to the millisecond', () => {
    const cache = new VerifiedTokenCache(() => 10);
    cache.set('token', claims(1_000));
    expect(cache.get('token', 999)).toEqual(claims(1_000));
    expect(cache.get('token', 1_000)).toBeUndefined();
    expect(cache.size).toBe(0);
  });

  it('drops the least recently used beyond its bound', () => {
    const cache = new VerifiedTokenCache(() => 2);
    cache.set('a', claims(1_000));
    cache.set('b', claims(1_000));
    cache.get('a', 0);
    cache.set('c', claims(1_000));
    expect(cache.size).toBe(2);
    expect(cache.get('b', 0)).toBeUndefined();
    expect(cache.get('a', 0)).toBeDefined();
  });

  it('keeps nothing when its bound is 0, and shrinks when it is lowered', () => {
    let max = 3;
    const cache = new VerifiedTokenCache(() => max);
    for (const token of ['a', 'b', 'c']) cache.set(token, claims(1_000));
    max = 1;
    cache.set('d', claims(1_000));
    expect(cache.size).toBe(1);
    max = 0;
    cache.set('e', claims(1_000));
    expect(cache.size).toBe(0);
  });
});
