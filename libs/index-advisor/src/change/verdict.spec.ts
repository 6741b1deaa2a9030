import { describe, expect, it } from '@jest/globals';
import { judgeIndex } from './verdict.js';

const reading = (calls: number, totalMs: number) => ({ one: { calls, totalMs } });

describe('judging an index after it was built', () => {
  it('keeps one that saves time, and says how much', () => {
    const verdict = judgeIndex({
      before: reading(100, 1000),
      now: reading(200, 1100),
      scans: 100,
      isLast: false,
    });
    expect(verdict).toMatchObject({ decision: 'keep', isVerified: true });
    expect(verdict.gain).toBeCloseTo(0.9);
    expect(verdict.statements).toEqual([
      { fingerprint: 'one', calls: 100, beforeMs: 10, afterMs: 1 },
    ]);
  });

  it.each([
    ['slower', 2500, 100],
    ['as fast as before', 1990, 100],
  ])('reverts one after which statements are %s', (_, totalMs, scans) => {
    const given = { before: reading(100, 1000), now: reading(200, totalMs), scans, isLast: false };
    expect(judgeIndex(given)).toMatchObject({ decision: 'revert', isVerified: false });
  });

  it('waits for the scans to show, and reverts an index that had no part in the gain', () => {
    const given = { before: reading(100, 1000), now: reading(200, 1100), scans: 0 };
    expect(judgeIndex({ ...given, isLast: false })).toMatchObject({ decision: 'wait' });
    expect(judgeIndex({ ...given, isLast: true })).toMatchObject({ decision: 'revert' });
  });

  it('waits for calls, and decides by use when there are none in the end', () => {
    const given = { before: reading(100, 1000), now: reading(105, 1001), scans: 4 };
    expect(judgeIndex({ ...given, isLast: false })).toMatchObject({ decision: 'wait', gain: null });
    expect(judgeIndex({ ...given, isLast: true })).toMatchObject({ decision: 'keep' });
    expect(judgeIndex({ ...given, scans: 0, isLast: true })).toMatchObject({ decision: 'revert' });
  });

  it('takes counters that were reset as counting since then', () => {
    const given = { before: reading(1000, 10_000), now: reading(50, 50), scans: 9, isLast: false };
    expect(judgeIndex(given)).toMatchObject({ decision: 'keep', isVerified: true, gain: 0.9 });
  });
});
