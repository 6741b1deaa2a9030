import { describe, expect, it } from '@jest/globals';
import { btreeSize, heightOfPages } from './btree-size.js';
import { keyShape } from './key-shape.js';
import { Confidential } from '../../catalog/confidential.js';
import type { ColumnStatistics } from '../../catalog/column-statistics.js';

const ROWS = 300_000;
const INT = { baseType: 'int4', typeBytes: 4, alignment: 'i' };
const statistics = (given: Partial<ColumnStatistics>): ColumnStatistics => ({
  nullFraction: 0,
  averageWidth: 4,
  distinct: -1,
  correlation: 0,
  mostCommonFrequencies: undefined,
  values: new Confidential({}),
  ...given,
});
const shape = (given: Partial<ColumnStatistics>, type = INT) => ({
  rows: ROWS,
  tableRows: ROWS,
  keys: [keyShape(type, statistics(given), ROWS)],
});

// The figures are those of indexes that PostgreSQL 18 built.
describe('the pages of a B-tree', () => {
  it('hold 366 unique integers each', () => {
    expect(btreeSize(shape({}))).toEqual({ pages: 825, height: 2 });
  });

  it('are few where keys are kept once', () => {
    const few = shape({ distinct: 10, mostCommonFrequencies: Array(10).fill(0.1) });
    expect(btreeSize(few).pages).toBeGreaterThanOrEqual(255);
    expect(btreeSize(few).pages).toBeLessThanOrEqual(260);
    // Links need the row's place too, where keys do not tell leaves apart.
    expect(btreeSize({ ...few, deduplicates: false }).pages).toBe(827);
  });

  it('keep keys that may differ in bytes apart', () => {
    const numeric = { baseType: 'numeric', typeBytes: -1, alignment: 'i' };
    expect(btreeSize(shape({ distinct: 10, averageWidth: 5 }, numeric)).pages).toBe(827);
  });

  it('have room for NULLs', () => {
    const nulls = shape({ nullFraction: 1, distinct: 0 });
    expect(Math.abs(btreeSize(nulls).pages / 257 - 1)).toBeLessThan(0.02);
  });

  it('grow with the columns that are only stored', () => {
    const covering = { ...shape({}), include: [keyShape(INT, statistics({}), ROWS)] };
    // Two integers fit where one leaves a gap.
    expect(btreeSize(covering).pages).toBe(825);
    const wide = { baseType: 'uuid', typeBytes: 16, alignment: 'c' };
    const stored = keyShape(wide, statistics({ averageWidth: 16 }), ROWS);
    expect(btreeSize({ ...covering, include: [stored] }).pages).toBeGreaterThan(1400);
  });

  it('are one for no rows', () => {
    expect(btreeSize({ ...shape({}), rows: 0 })).toEqual({ pages: 1, height: 0 });
  });
});

describe('the height of a B-tree', () => {
  it('comes from its pages', () => {
    expect([2, 100, 825, 200_000].map((pages) => heightOfPages(shape({}), pages))).toEqual([
      0, 1, 2, 3,
    ]);
  });
});
