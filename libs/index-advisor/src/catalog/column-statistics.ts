import type { Confidential } from './confidential.js';

/** The statistics of a column or of an expression of an index, as in pg_stats. */
export interface ColumnStatistics {
  readonly nullFraction: number;
  /** Mean bytes of a value that is not null. */
  readonly averageWidth: number;
  /** Distinct values; below 0, minus the share of the rows (-1 is unique). */
  readonly distinct: number;
  /** How much the order of values follows the order of rows, -1 to 1. */
  readonly correlation: number | undefined;
  readonly mostCommonFrequencies: readonly number[] | undefined;
  /** Arrays as PostgreSQL writes them; values of rows, so they are confidential. */
  readonly values: Confidential<StatisticsValues>;
}

/** The fields of pg_stats that hold values, as array literals, and what belongs to them. */
export interface StatisticsValues {
  readonly mostCommonValues?: string;
  readonly histogramBounds?: string;
  readonly mostCommonElements?: string;
  readonly mostCommonElementFrequencies?: string;
  readonly elementCountHistogram?: string;
  readonly rangeLengthHistogram?: string;
  readonly rangeEmptyFraction?: string;
  readonly rangeBoundsHistogram?: string;
}

/** A statistics object (`CREATE STATISTICS`). */
export interface ExtendedStatistics {
  readonly schema: string;
  readonly name: string;
  readonly definition: string;
  /** Distinct combinations, by the names of columns as a JSON array in the table's order. */
  readonly distinct: ReadonlyMap<string, number>;
  /** How far the last of these columns depends on the others, 0 to 1; by names as above. */
  readonly dependencies: ReadonlyMap<string, number>;
}
