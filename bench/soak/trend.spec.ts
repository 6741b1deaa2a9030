import { describe, expect, it } from '@jest/globals';
import { isFlat, trendOf } from './trend.js';

const HOUR = 3_600_000;

/** Values an hour apart. */
const hourly = (...values: number[]): (readonly [number, number])[] =>
  values.map((value, hour) => [hour * HOUR, value] as const);

describe('trendOf', () => {
  it('is the line itself where there is one', () => {
    expect(trendOf(hourly(10, 12, 14, 16))).toEqual({
      first: 10,
      last: 16,
      mean: 13,
      slopePerHour: expect.closeTo(2),
      marginPerHour: expect.closeTo(0),
      rise: expect.closeTo(6),
    });
  });

  it('has the interval of the textbook where there is noise', () => {
    // y = 1, 3, 2, 5, 4: slope 0.8, standard error 0.3464, t(3) = 3.182.
    const trend = trendOf(hourly(1, 3, 2, 5, 4));
    expect(trend.slopePerHour).toBeCloseTo(0.8);
    expect(trend.marginPerHour).toBeGreaterThan(1.07);
    expect(trend.marginPerHour).toBeLessThan(1.12);
  });

  it('needs three points', () => {
    expect(() => trendOf(hourly(1, 2))).toThrow('three points');
  });
});

describe('isFlat', () => {
  const tolerance = { perHour: 1, rise: 5 };

  it('tells growth from noise', () => {
    expect(isFlat(trendOf(hourly(100, 101, 99, 100, 101, 100)), tolerance)).toBe(true);
    expect(isFlat(trendOf(hourly(100, 102, 104, 106)), tolerance)).toBe(false);
    expect(isFlat(trendOf(hourly(100, 90, 80, 70)), tolerance)).toBe(true);
  });

  it('is not deceived by noise about a great rise', () => {
    const noisy = trendOf(hourly(100, 140, 90, 160));
    expect(noisy.slopePerHour - noisy.marginPerHour).toBeLessThan(1);
    expect(isFlat(noisy, tolerance)).toBe(false);
  });
});
