import { describe, expect, it } from '@jest/globals';
import type { ColumnStatistics } from '../catalog/column-statistics.js';
import { Confidential } from '../catalog/confidential.js';
import { derivedStatistics, type Outcome } from './derived-statistics.js';

const ROWS = 10_000;
const outcome = (value: string | null, rank = 1): Outcome => ({ value, bytes: 5, rank });
const column = (given: Partial<ColumnStatistics>): ColumnStatistics => ({
  nullFraction: 0,
  averageWidth: 10,
  distinct: -1,
  correlation: 0.5,
  mostCommonFrequencies: undefined,
  values: new Confidential({}),
  ...given,
});

describe('statistics of an expression', () => {
  it('add the shares of common values that become the same', () => {
    const statistics = derivedStatistics(
      column({ distinct: 3, mostCommonFrequencies: [0.5, 0.3, 0.2] }),
      { common: [outcome('a'), outcome('b'), outcome('a')], bounds: [], ofNull: outcome(null) },
      ROWS,
    );

    expect(statistics.distinct).toBe(2);
    expect(statistics.mostCommonFrequencies).toEqual([0.7, 0.3]);
    expect(statistics.values.reveal().mostCommonValues).toBe('{"a","b"}');
  });

  it('stay unique for a column that is unique', () => {
    const bounds = Array.from({ length: 101 }, (_, rank) => outcome(`v${rank}`, rank + 1));
    const statistics = derivedStatistics(
      column({}),
      { common: [], bounds, ofNull: undefined },
      ROWS,
    );

    expect(statistics.distinct).toBe(-1);
    expect(statistics.correlation).toBeCloseTo(0.5);
    expect(statistics.values.reveal().histogramBounds).toContain('{"v0","v1"');
  });

  it('find few outcomes of many values', () => {
    const bounds = Array.from({ length: 100 }, (_, place) => outcome(`v${place % 4}`, place % 4));
    const statistics = derivedStatistics(
      column({}),
      { common: [], bounds, ofNull: undefined },
      ROWS,
    );

    expect(statistics.distinct).toBeCloseTo(4, 0);
    expect(statistics.mostCommonFrequencies).toEqual(
      [0.25, 0.25, 0.25, 0.25].map((share) => expect.closeTo(share)),
    );
  });

  it('turn the order around where the expression does', () => {
    const bounds = Array.from({ length: 50 }, (_, place) => outcome(`v${place}`, 50 - place));
    const { correlation } = derivedStatistics(
      column({}),
      { common: [], bounds, ofNull: undefined },
      ROWS,
    );
    expect(correlation).toBeCloseTo(-0.5);
  });

  it('count NULLs that the expression makes, and values it makes of NULL', () => {
    const bounds = [outcome('a', 1), outcome(null, 2), outcome('b', 3), outcome(null, 4)];
    const made = derivedStatistics(column({}), { common: [], bounds, ofNull: undefined }, ROWS);
    const replaced = derivedStatistics(
      column({ nullFraction: 0.4 }),
      { common: [], bounds: [outcome('a'), outcome('b')], ofNull: outcome('none') },
      ROWS,
    );

    expect(made.nullFraction).toBeCloseTo(0.5);
    expect(replaced.nullFraction).toBe(0);
    expect(replaced.values.reveal().mostCommonValues).toContain('"none"');
  });
});
