import type { Column, Table } from '../catalog/catalog.js';
import type { ColumnStatistics } from '../catalog/column-statistics.js';
import { quoteName } from './candidate-index.js';
import { derivedStatistics, type Outcome } from './derived-statistics.js';
import type { PlanningSession } from './planning-session.js';
import { tableName } from './schema-script.js';
import type { ExpressionFacts } from './size/index-size.js';

/** A header of four bytes becomes one of one byte in short values that are stored. */
const LONGEST_SHORT = 126;

/**
 * The type of an expression of a table, and statistics of it: computed from the values that the
 * statistics of its column hold, when it has just one column. Undefined for what is no expression
 * of the table.
 */
export async function expressionFacts(
  session: PlanningSession,
  table: Table,
  expression: string,
): Promise<ExpressionFacts | undefined> {
  const type = await typeOf(session, table, expression);
  if (type === undefined) return undefined;
  const columns = table.columns.filter((column) => mentions(expression, column));
  const [column] = columns;
  const source = column?.statistics ?? column?.inheritedStatistics;
  if (columns.length !== 1 || column === undefined || source === undefined) {
    return { type, statistics: undefined };
  }
  try {
    const statistics = await derive(session, table, { column, source, expression, type });
    return { type, statistics };
  } catch {
    // An expression that fails for some value, or has no order, is left to PostgreSQL's defaults.
    return { type, statistics: undefined };
  }
}

interface Derivation {
  readonly column: Column;
  readonly source: ColumnStatistics;
  readonly expression: string;
  readonly type: ExpressionFacts['type'];
}

async function derive(
  session: PlanningSession,
  table: Table,
  { column, source, expression, type }: Derivation,
): Promise<ColumnStatistics> {
  const { mostCommonValues, histogramBounds } = source.values.reveal();
  const rows = await session.query<Outcome & { readonly origin: string }>(
    `SELECT what_if_origin AS origin, (${expression})::text AS value,
       coalesce(pg_column_size(${expression}), 0) AS bytes,
       (rank() OVER (ORDER BY ${expression}))::int AS rank
     FROM (
       SELECT 'common' AS origin, * FROM unnest($1::text::${column.type}[]) WITH ORDINALITY
       UNION ALL
       SELECT 'bounds', * FROM unnest($2::text::${column.type}[]) WITH ORDINALITY
       UNION ALL SELECT 'null', NULL, 1
     ) AS ${quoteName(table.name)} (what_if_origin, ${quoteName(column.name)}, what_if_place)
     ORDER BY what_if_origin, what_if_place`,
    [mostCommonValues ?? '{}', histogramBounds ?? '{}'],
  );
  const of = (wanted: string): readonly Outcome[] =>
    rows
      .filter(({ origin }) => origin === wanted)
      .map(({ value, bytes, rank }) => ({
        value,
        bytes: storedBytes(bytes, type.typeBytes),
        rank,
      }));
  return derivedStatistics(
    source,
    { common: of('common'), bounds: of('bounds'), ofNull: of('null')[0] },
    table.size.rows,
  );
}

/** The type that PostgreSQL gives an expression, without running it. */
async function typeOf(
  session: PlanningSession,
  table: Table,
  expression: string,
): Promise<ExpressionFacts['type'] | undefined> {
  try {
    const results = await session.run([
      { sql: `PREPARE what_if_type AS SELECT (${expression}) FROM ${tableName(table)}` },
      {
        sql: `SELECT t.typname::text AS "baseType", t.typlen::int AS "typeBytes",
            t.typalign::text AS alignment
            FROM pg_prepared_statements p JOIN pg_type t ON t.oid = p.result_types[1]
            WHERE p.name = 'what_if_type'`,
      },
      { sql: 'DEALLOCATE what_if_type' },
    ]);
    return results[1]?.[0] as ExpressionFacts['type'] | undefined;
  } catch {
    return undefined;
  }
}

function storedBytes(bytes: number, typeBytes: number): number {
  if (typeBytes > 0) return typeBytes;
  return bytes - 4 <= LONGEST_SHORT ? Math.max(1, bytes - 3) : bytes;
}

/** Whether the column's name stands in an expression, other than in a text or as a function. */
function mentions(expression: string, { name }: Column): boolean {
  const code = expression.replaceAll(/'(?:[^']|'')*'/g, "''");
  if (code.includes(quoteName(name))) return true;
  const escaped = name.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(String.raw`(?<![\w".])${escaped}(?![\w"(])`).test(code);
}
