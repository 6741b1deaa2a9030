import { describe, expect, it } from '@jest/globals';
import { hashKey } from './key-hash.js';

describe('the hash of a key', () => {
  it('is an unsigned 32-bit number that depends on the key and the seed', () => {
    expect(hashKey('order:1', 1)).toBe(hashKey('order:1', 1));
    expect(hashKey('order:1', 1)).not.toBe(hashKey('order:1', 2));
    expect(hashKey('order:1', 1)).not.toBe(hashKey('order:2', 1));
    expect(hashKey('', 0)).toBeGreaterThanOrEqual(0);
  });

  it('spreads keys that differ in one digit evenly over the range', () => {
    const counts = new Uint32Array(64);
    for (let key = 0; key < 64_000; key += 1) {
      const part = hashKey(`order:${key}`, 1) >>> 26;
      counts[part] = (counts[part] as number) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
    expect(Math.max(...counts)).toBeLessThan(1_200);
  });
});
