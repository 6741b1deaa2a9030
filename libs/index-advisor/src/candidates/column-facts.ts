import type { Column, Table } from '../catalog/catalog.js';
import type { ColumnStatistics } from '../catalog/column-statistics.js';
import type { KeyTerm } from './table-use.js';

/** Columns with at most as many different values hold categories, such as a status. */
const CATEGORIES = 100;
/** Types that B-trees cannot order. */
const UNORDERED = new Set(
  'json xml point line lseg box path polygon circle tsquery xid cid aclitem'.split(' '),
);

export function columnOf(table: Table, name: string | undefined): Column | undefined {
  return name === undefined ? undefined : table.columns.find((column) => column.name === name);
}

/** Statistics of a column: of the rows of the table, or of all of its partitions. */
export function statisticsOf(column: Column | undefined): ColumnStatistics | undefined {
  return column?.statistics ?? column?.inheritedStatistics;
}

/** How many different values a column has; undefined when never analysed. */
export function distinctOf(table: Table, name: string | undefined): number | undefined {
  const distinct = statisticsOf(columnOf(table, name))?.distinct;
  if (distinct === undefined || distinct === 0) return undefined;
  return distinct < 0 ? -distinct * rowsOf(table) : distinct;
}

export function rowsOf({ size }: Table): number {
  // The file of a partitioned table is empty; its statistics are those of all partitions.
  return Math.max(1, size.rows, size.analysedRows);
}

export function isBoolean(table: Table, { column }: KeyTerm): boolean {
  return columnOf(table, column)?.baseType === 'bool';
}

/** Whether values of a column are categories, so that a literal is part of the program. */
export function isCategory(table: Table, key: KeyTerm): boolean {
  if (isBoolean(table, key)) return true;
  const distinct = distinctOf(table, key.column);
  return distinct !== undefined && distinct <= Math.min(CATEGORIES, rowsOf(table) / 10);
}

/** The share of rows where a column is null; undefined when never analysed. */
export function nullFractionOf(table: Table, name: string | undefined): number | undefined {
  return statisticsOf(columnOf(table, name))?.nullFraction;
}

/** Whether an index on a column finds nothing that a scan would not: it has just one value. */
export function isConstantColumn(table: Table, name: string | undefined): boolean {
  const statistics = statisticsOf(columnOf(table, name));
  if (statistics === undefined) return false;
  if (statistics.nullFraction >= 0.9999) return true;
  return statistics.distinct === 1 && statistics.nullFraction < 0.0001;
}

export function canBeOrdered(column: Column | undefined): boolean {
  return column !== undefined && !UNORDERED.has(column.baseType);
}

/** Mean bytes of a column's values. */
export function widthOf(column: Column): number {
  if (column.typeBytes > 0) return column.typeBytes;
  return statisticsOf(column)?.averageWidth ?? 32;
}
