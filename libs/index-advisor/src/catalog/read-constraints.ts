import type { Connection } from '../connection/connection.js';
import type { Check, ForeignKey } from './catalog.js';
import type { ExtendedStatistics } from './column-statistics.js';
import { USER_SCHEMA } from './own-objects.js';

/** What is attached to tables, with the oid of the table. */
export type OfTable<Item> = Item & { readonly tableOid: number };

/** Foreign keys; on partitions only those that do not come from the parent. */
export function readForeignKeys(connection: Connection): Promise<readonly OfTable<ForeignKey>[]> {
  return connection.query<OfTable<ForeignKey>>(`
    SELECT k.conrelid::bigint::float8 AS "tableOid", k.conname::text AS name,
      (SELECT json_agg(a.attname ORDER BY u.position)
        FROM unnest(k.conkey) WITH ORDINALITY AS u (number, position)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number) AS columns,
      fn.nspname::text AS "referencedSchema", f.relname::text AS "referencedTable",
      (SELECT json_agg(a.attname ORDER BY u.position)
        FROM unnest(k.confkey) WITH ORDINALITY AS u (number, position)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number)
        AS "referencedColumns",
      pg_get_constraintdef(k.oid) AS definition, k.convalidated AS "isValidated",
      CASE k.confdeltype WHEN 'r' THEN 'restrict' WHEN 'c' THEN 'cascade' WHEN 'n' THEN 'set null'
        WHEN 'd' THEN 'set default' ELSE 'no action' END AS "onDelete"
    FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_class f ON f.oid = k.confrelid
      JOIN pg_namespace fn ON fn.oid = f.relnamespace
    WHERE ${USER_SCHEMA} AND k.contype = 'f' AND k.conparentid = 0
    ORDER BY k.oid`);
}

/** Check constraints of tables, by which the planner excludes them. */
export function readChecks(connection: Connection): Promise<readonly OfTable<Check>[]> {
  return connection.query<OfTable<Check>>(`
    SELECT k.conrelid::bigint::float8 AS "tableOid", k.conname::text AS name,
      pg_get_constraintdef(k.oid) AS definition, k.convalidated AS "isValidated"
    FROM pg_constraint k
      JOIN pg_class c ON c.oid = k.conrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE ${USER_SCHEMA} AND k.contype = 'c' AND k.coninhcount = 0
    ORDER BY k.oid`);
}

interface ExtendedRow extends Omit<ExtendedStatistics, 'distinct' | 'dependencies'> {
  readonly tableOid: number;
  /** Of the columns that it is on, by number. */
  readonly names: readonly string[] | null;
  readonly numbers: readonly number[];
  readonly distinct: string | null;
  readonly dependencies: string | null;
}

/** Statistics objects, with what they say when this role may see it. */
export async function readExtendedStatistics(
  connection: Connection,
): Promise<readonly OfTable<ExtendedStatistics>[]> {
  const rows = await connection.query<ExtendedRow>(`
    SELECT e.stxrelid::bigint::float8 AS "tableOid", en.nspname::text AS schema,
      e.stxname::text AS name, pg_get_statisticsobjdef(e.oid) AS definition,
      e.stxkeys::int[] AS numbers,
      (SELECT json_agg(a.attname ORDER BY a.attnum) FROM pg_attribute a
        WHERE a.attrelid = e.stxrelid AND a.attnum = ANY (e.stxkeys)) AS names,
      s.n_distinct::text AS distinct, s.dependencies::text AS dependencies
    FROM pg_statistic_ext e
      JOIN pg_namespace en ON en.oid = e.stxnamespace
      JOIN pg_class c ON c.oid = e.stxrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      LEFT JOIN LATERAL (SELECT s.n_distinct, s.dependencies FROM pg_stats_ext s
        WHERE s.statistics_schemaname = en.nspname AND s.statistics_name = e.stxname
        LIMIT 1) s ON true
    WHERE ${USER_SCHEMA} ORDER BY e.oid`);
  return rows.map((row) => extendedOf(row));
}

function extendedOf(row: ExtendedRow): OfTable<ExtendedStatistics> {
  const { names, numbers, distinct, dependencies, ...rest } = row;
  // The columns are listed by number, as the names are.
  const sorted = numbers.toSorted((a, b) => a - b);
  const nameOf = (number: string) => names?.[sorted.indexOf(Number(number))];
  return {
    ...rest,
    distinct: byNames(distinct, nameOf),
    dependencies: byNames(dependencies, nameOf),
  };
}

/** Reads `{"1, 2": 300}` or `{"1, 2 => 3": 0.9}`, where the numbers are those of columns. */
function byNames(
  text: string | null,
  nameOf: (number: string) => string | undefined,
): ReadonlyMap<string, number> {
  if (text === null) return new Map();
  const entries = Object.entries(JSON.parse(text) as Record<string, number>).map(
    ([key, value]) => [key.split(/, | => /).map((number) => nameOf(number)), value] as const,
  );
  // A combination with an expression has a negative number and no name.
  const ofColumns = entries.filter(([columns]) => columns.every((name) => name !== undefined));
  return new Map(ofColumns.map(([columns, value]) => [JSON.stringify(columns), value]));
}
