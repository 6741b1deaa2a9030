import type { Connection } from '../connection/connection.js';
import { USER_SCHEMA } from './own-objects.js';
import type { Column } from './catalog.js';

export interface ColumnRow extends Omit<Column, 'statistics' | 'inheritedStatistics'> {
  readonly tableOid: number;
  readonly mayRead: boolean;
}

/** The columns of every table of users; materialized views and foreign tables too. */
export async function readColumns(connection: Connection): Promise<readonly ColumnRow[]> {
  const rows = await connection.query<Nullable<ColumnRow>>(`
    WITH RECURSIVE base AS (
      SELECT t.oid AS type, t.oid AS base FROM pg_type t WHERE t.typtype <> 'd'
      UNION ALL
      SELECT d.oid, base.base FROM pg_type d JOIN base ON d.typbasetype = base.type
      WHERE d.typtype = 'd'
    )
    SELECT a.attrelid::bigint::float8 AS "tableOid", a.attname::text AS name, a.attnum::int AS position,
      format_type(a.atttypid, a.atttypmod) AS type, bt.typname::text AS "baseType",
      a.attlen::int AS "typeBytes", a.attalign::text AS alignment, a.attnotnull AS "isNotNull",
      CASE WHEN a.attcollation NOT IN (0, t.typcollation)
        THEN format('%I.%I', cn.nspname, co.collname) END AS collation,
      CASE WHEN a.attgenerated = 'v' THEN pg_get_expr(ad.adbin, ad.adrelid) END
        AS "virtualExpression",
      a.attidentity <> '' AS "isIdentity",
      has_column_privilege(a.attrelid, a.attnum, 'SELECT') AS "mayRead"
    FROM pg_attribute a
      JOIN pg_class c ON c.oid = a.attrelid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_type t ON t.oid = a.atttypid
      JOIN base ON base.type = a.atttypid
      JOIN pg_type bt ON bt.oid = base.base
      LEFT JOIN pg_collation co ON co.oid = a.attcollation
      LEFT JOIN pg_namespace cn ON cn.oid = co.collnamespace
      LEFT JOIN pg_attrdef ad ON ad.adrelid = a.attrelid AND ad.adnum = a.attnum
    WHERE ${USER_SCHEMA} AND c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
      AND a.attnum > 0 AND NOT a.attisdropped
    ORDER BY a.attrelid, a.attnum`);
  return rows.map((row) => columnOf(row));
}

function columnOf({ collation, virtualExpression, ...row }: Nullable<ColumnRow>): ColumnRow {
  return {
    ...row,
    collation: collation ?? undefined,
    virtualExpression: virtualExpression ?? undefined,
  };
}

type Nullable<Row> = {
  [Key in keyof Row]: undefined extends Row[Key] ? Exclude<Row[Key], undefined> | null : Row[Key];
};
