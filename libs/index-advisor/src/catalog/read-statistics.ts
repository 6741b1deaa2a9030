import type { Connection } from '../connection/connection.js';
import { Confidential } from './confidential.js';
import type { ColumnStatistics, StatisticsValues } from './column-statistics.js';
import { USER_SCHEMA } from './own-objects.js';

interface StatisticsRow {
  readonly schema: string;
  readonly relation: string;
  readonly column: string;
  readonly inherited: boolean;
  readonly nullFraction: number;
  readonly averageWidth: number;
  readonly distinct: number;
  readonly correlation: number | null;
  readonly frequencies: number[] | null;
  readonly values: { [Key in keyof StatisticsValues]-?: string | null };
}

/** Range statistics are shown by pg_stats from this version on. */
const RANGES_SINCE = 17;

/** Statistics by relation (also of indexes with expressions), column, and whether of children too. */
export class StatisticsByColumn {
  readonly #byKey = new Map<string, ColumnStatistics>();

  add(row: StatisticsRow): void {
    const { relation, column, inherited, schema } = row;
    this.#byKey.set(keyOf(schema, relation, column, inherited), statisticsOf(row));
  }

  of(schema: string, relation: string, column: string, inherited = false) {
    return this.#byKey.get(keyOf(schema, relation, column, inherited));
  }
}

/** What pg_stats shows to this role: only of columns that it may read. */
export async function readStatistics(
  connection: Connection,
  majorVersion: number,
): Promise<StatisticsByColumn> {
  const ranges = ['length_histogram', 'empty_frac', 'bounds_histogram'].map((name) =>
    majorVersion < RANGES_SINCE ? 'NULL' : `s.range_${name}::text`,
  );
  const rows = await connection.query<StatisticsRow>(`
    SELECT s.schemaname::text AS schema, s.tablename::text AS relation, s.attname::text AS "column",
      s.inherited, s.null_frac::float8 AS "nullFraction", s.avg_width::int AS "averageWidth",
      s.n_distinct::float8 AS distinct, s.correlation::float8 AS correlation,
      s.most_common_freqs::float8[] AS frequencies,
      json_build_object('mostCommonValues', s.most_common_vals::text,
        'histogramBounds', s.histogram_bounds::text,
        'mostCommonElements', s.most_common_elems::text,
        'mostCommonElementFrequencies', s.most_common_elem_freqs::text,
        'elementCountHistogram', s.elem_count_histogram::text,
        'rangeLengthHistogram', ${ranges[0]}, 'rangeEmptyFraction', ${ranges[1]},
        'rangeBoundsHistogram', ${ranges[2]}) AS values
    FROM pg_stats s JOIN pg_namespace n ON n.nspname = s.schemaname WHERE ${USER_SCHEMA}`);
  const statistics = new StatisticsByColumn();
  for (const row of rows) statistics.add(row);
  return statistics;
}

function statisticsOf(row: StatisticsRow): ColumnStatistics {
  const { nullFraction, averageWidth, distinct, correlation, frequencies, values } = row;
  const present = Object.entries(values).filter(([, value]) => value !== null);
  return {
    nullFraction,
    averageWidth,
    distinct,
    correlation: correlation ?? undefined,
    mostCommonFrequencies: frequencies ?? undefined,
    values: new Confidential<StatisticsValues>(Object.fromEntries(present)),
  };
}

function keyOf(...parts: readonly (string | boolean)[]): string {
  return JSON.stringify(parts);
}
