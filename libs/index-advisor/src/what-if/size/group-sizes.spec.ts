import { describe, expect, it } from '@jest/globals';
import { equalGroupSizes, groupSizes, rateOfDistinct } from './group-sizes.js';

const meanOf = (sizeOf: (position: number) => number) =>
  Array.from({ length: 5000 }, (_, position) => sizeOf(position)).reduce(
    (sum, size) => sum + size / 5000,
    0,
  );

describe('how many rows share a key', () => {
  it.each([0.5, 3, 50, 1000])('has the mean of a Poisson distribution without zero: %p', (rate) => {
    expect(meanOf(groupSizes(rate)) / (rate / (1 - Math.exp(-rate)))).toBeCloseTo(1, 2);
  });

  it('is one for unique keys', () => {
    expect(meanOf(groupSizes(0))).toBeCloseTo(1);
  });

  it('is nearly equal where rows were written together', () => {
    expect(meanOf(equalGroupSizes(2.25))).toBeCloseTo(2.25, 2);
  });

  it('takes back that ANALYZE finds too few keys when rows fall at random', () => {
    // 300,000 rows on 200,000 keys at random: ANALYZE said 123,600 of 30,000 rows it saw.
    expect(rateOfDistinct(123_600, 300_000, 0.1)).toBeCloseTo(1.5, 1);
    expect(rateOfDistinct(300_000, 300_000, 0.1)).toBe(0);
  });
});
