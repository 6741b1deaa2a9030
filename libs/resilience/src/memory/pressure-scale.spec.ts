import { describe, expect, it } from '@jest/globals';
import { nextLevel } from './pressure-scale.js';

const THRESHOLDS = { shedRatio: 0.85, criticalRatio: 0.92, recoverMargin: 0.05 };

describe('the level of memory pressure', () => {
  it.each([
    ['normal', 0.849, 'normal'],
    ['normal', 0.85, 'shed'],
    ['normal', 0.95, 'critical'],
    ['shed', 0.81, 'shed'],
    ['shed', 0.79, 'normal'],
    ['shed', 0.92, 'critical'],
    ['critical', 0.88, 'critical'],
    ['critical', 0.86, 'shed'],
    ['critical', 0.82, 'shed'],
    ['critical', 0.79, 'normal'],
  ] as const)('is, after %s, at %f of the limit %s', (before, ratio, after) => {
    expect(nextLevel(before, ratio, THRESHOLDS)).toBe(after);
  });
});
