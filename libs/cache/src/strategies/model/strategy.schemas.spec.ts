import { describe, expect, it } from '@jest/globals';
import { keyPatternSchema } from './strategy.schemas.js';

const accepts = (pattern: string): boolean => keyPatternSchema.safeParse({ pattern }).success;

describe('the pattern of a key', () => {
  it('has at most one variable between two separators', () => {
    expect(
      ['user:{id}:profile', '{id}', 'a/{id}.{id2}', 'v{major}.{minor}', 'plain'].every(accepts),
    ).toBe(true);
    expect(['{a}{b}', '{a}x{b}', 'user:{a}-{b}', '{a}x{b}x{c}x{d}'].some(accepts)).toBe(false);
  });
});
