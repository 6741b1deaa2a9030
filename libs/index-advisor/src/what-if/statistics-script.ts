import type { Catalog, Column, Table } from '../catalog/catalog.js';
import type { CatalogIndex } from '../catalog/catalog-index.js';
import type { ColumnStatistics } from '../catalog/column-statistics.js';
import type { Step } from './planning-worker.js';

/** A relation's name and which column of it; indexes have statistics of their expressions. */
export interface StatisticsTarget {
  readonly schema: string;
  readonly name: string;
  /** Counted from 1, in the copy. */
  readonly position: number;
  readonly isInherited?: boolean;
}

/** Sizes of tables and indexes when last analysed, and statistics of all columns. */
export function statisticsSteps({ tables }: Catalog): readonly Step[] {
  return tables.flatMap((table) => [
    relationStep(table, {
      pages: table.size.analysedPages,
      rows: table.size.analysedRows,
      allVisiblePages: table.size.allVisiblePages,
    }),
    ...table.columns.flatMap((column, position) => columnSteps(table, column, position + 1)),
    ...table.indexes.flatMap((index) => indexSteps(index)),
  ]);
}

/** Pages and rows as they stand in pg_class. */
export function relationStep(
  relation: { readonly schema: string; readonly name: string },
  size: { readonly pages: number; readonly rows: number; readonly allVisiblePages?: number },
): Step {
  return {
    sql: `SELECT pg_restore_relation_stats('schemaname', $1::text, 'relname', $2::text,
      'relpages', $3::int, 'reltuples', $4::real, 'relallvisible', $5::int)`,
    parameters: [
      relation.schema,
      relation.name,
      ...[size.pages, size.rows, size.allVisiblePages ?? 0].map(String),
    ],
  };
}

/** Everything that pg_stats says about a column. */
export function attributeStep(target: StatisticsTarget, statistics: ColumnStatistics): Step {
  const values = statistics.values.reveal();
  const frequencies = statistics.mostCommonFrequencies;
  const given = [
    ['null_frac', 'real', statistics.nullFraction],
    ['avg_width', 'int', statistics.averageWidth],
    ['n_distinct', 'real', statistics.distinct],
    ['correlation', 'real', statistics.correlation],
    ['most_common_vals', 'text', values.mostCommonValues],
    ['most_common_freqs', 'real[]', frequencies && `{${frequencies.join(',')}}`],
    ['histogram_bounds', 'text', values.histogramBounds],
    ['most_common_elems', 'text', values.mostCommonElements],
    ['most_common_elem_freqs', 'real[]', values.mostCommonElementFrequencies],
    ['elem_count_histogram', 'real[]', values.elementCountHistogram],
    ['range_length_histogram', 'text', values.rangeLengthHistogram],
    ['range_empty_frac', 'real', values.rangeEmptyFraction],
    ['range_bounds_histogram', 'text', values.rangeBoundsHistogram],
  ].filter(([, , value]) => value !== undefined);
  const fields = given.map(([name, type], index) => `'${name}', $${index + 5}::text::${type}`);
  return {
    sql: `SELECT pg_restore_attribute_stats('schemaname', $1::text, 'relname', $2::text,
      'attnum', $3::text::int2, 'inherited', $4::text::boolean, ${fields.join(', ')})`,
    parameters: [
      target.schema,
      target.name,
      String(target.position),
      String(target.isInherited ?? false),
      ...given.map(([, , value]) => String(value)),
    ],
  };
}

function columnSteps(table: Table, column: Column, position: number): readonly Step[] {
  const target = { schema: table.schema, name: table.name, position };
  return [
    ...(column.statistics === undefined ? [] : [attributeStep(target, column.statistics)]),
    ...(column.inheritedStatistics === undefined
      ? []
      : [attributeStep({ ...target, isInherited: true }, column.inheritedStatistics)]),
  ];
}

function indexSteps(index: CatalogIndex): readonly Step[] {
  const { schema, name, keys, analysedPages: pages, analysedRows: rows } = index;
  return [
    relationStep(index, { pages, rows }),
    ...keys.flatMap(({ statistics }, position) =>
      statistics === undefined
        ? []
        : [attributeStep({ schema, name, position: position + 1 }, statistics)],
    ),
  ];
}
