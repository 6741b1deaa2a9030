import type { Connection } from '../connection/connection.js';
import type { CatalogIndex, IndexKey } from './catalog-index.js';
import { dateOf, USER_SCHEMA } from './own-objects.js';
import type { StatisticsByColumn } from './read-statistics.js';

interface IndexRow extends Omit<
  CatalogIndex,
  'where' | 'constraint' | 'parentOid' | 'activity' | 'keys' | 'include'
> {
  readonly tableOid: number;
  readonly where: string | null;
  readonly constraint: CatalogIndex['constraint'] | null;
  readonly parentOid: number | null;
  readonly keyCount: number;
  readonly attributes: readonly AttributeRow[];
  readonly scans: number;
  readonly tuplesRead: number;
  readonly tuplesFetched: number;
  readonly lastScanAt: number | null;
}

interface AttributeRow {
  /** In the index; statistics of an expression go by it. */
  readonly name: string;
  readonly column: string | null;
  readonly expression: string;
  readonly option: number;
  readonly opclass: string | null;
  readonly collation: string | null;
}

/** A bit set in pg_index.indoption. */
const DESCENDING = 1;
const NULLS_FIRST = 2;

/** The indexes by the oid of their table. */
export async function readIndexes(
  connection: Connection,
  statistics: StatisticsByColumn,
): Promise<ReadonlyMap<number, readonly CatalogIndex[]>> {
  const rows = await connection.query<IndexRow>(INDEXES);
  const byTable = new Map<number, CatalogIndex[]>();
  for (const row of rows) {
    const indexes = byTable.get(row.tableOid) ?? [];
    indexes.push(indexOf(row, statistics));
    byTable.set(row.tableOid, indexes);
  }
  return byTable;
}

function indexOf(row: IndexRow, statistics: StatisticsByColumn): CatalogIndex {
  const { tableOid: _, keyCount, attributes, where, constraint, parentOid, ...rest } = row;
  const { scans, tuplesRead, tuplesFetched, lastScanAt, ...index } = rest;
  return {
    ...index,
    where: where ?? undefined,
    constraint: constraint ?? undefined,
    parentOid: parentOid ?? undefined,
    keys: attributes.slice(0, keyCount).map((key) => keyOf(key, index, statistics)),
    include: attributes.slice(keyCount).map(({ column, expression }) => column ?? expression),
    activity: { scans, tuplesRead, tuplesFetched, lastScanAt: dateOf(lastScanAt) },
  };
}

function keyOf(
  key: AttributeRow,
  index: { readonly schema: string; readonly name: string },
  statistics: StatisticsByColumn,
): IndexKey {
  return {
    column: key.column ?? undefined,
    expression: key.expression,
    direction: (key.option & DESCENDING) === 0 ? 'asc' : 'desc',
    nulls: (key.option & NULLS_FIRST) === 0 ? 'last' : 'first',
    opclass: key.opclass ?? undefined,
    collation: key.collation ?? undefined,
    statistics: key.column === null ? statistics.of(index.schema, index.name, key.name) : undefined,
  };
}

const ATTRIBUTES = `
  SELECT json_agg(json_build_object('name', ia.attname, 'column', ta.attname,
    'expression', pg_get_indexdef(x.indexrelid, k.position::int, true),
    'option', coalesce(x.indoption[k.position - 1], 0),
    'opclass', CASE WHEN NOT oc.opcdefault THEN format('%I.%I', ocn.nspname, oc.opcname) END,
    'collation', CASE WHEN x.indcollation[k.position - 1] NOT IN (0, coalesce(ta.attcollation, 0))
      AND co.collname <> 'default' THEN format('%I.%I', con.nspname, co.collname) END)
    ORDER BY k.position)
  FROM generate_series(1, x.indnatts) AS k (position)
    JOIN pg_attribute ia ON ia.attrelid = x.indexrelid AND ia.attnum = k.position
    LEFT JOIN pg_attribute ta ON ta.attrelid = x.indrelid AND ta.attnum = x.indkey[k.position - 1]
      AND ta.attnum <> 0
    LEFT JOIN pg_opclass oc ON k.position <= x.indnkeyatts AND oc.oid = x.indclass[k.position - 1]
    LEFT JOIN pg_namespace ocn ON ocn.oid = oc.opcnamespace
    LEFT JOIN pg_collation co ON k.position <= x.indnkeyatts
      AND co.oid = x.indcollation[k.position - 1]
    LEFT JOIN pg_namespace con ON con.oid = co.collnamespace`;

// Keys have an order, an operator class and a collation; included columns have none.
const INDEXES = `
  SELECT i.oid::bigint::float8 AS oid, x.indrelid::bigint::float8 AS "tableOid", n.nspname::text AS schema,
    i.relname::text AS name, am.amname::text AS method, pg_get_indexdef(i.oid) AS definition,
    pg_get_expr(x.indpred, x.indrelid, true) AS "where", x.indisunique AS "isUnique",
    x.indisprimary AS "isPrimary",
    coalesce((to_jsonb(x) ->> 'indnullsnotdistinct')::boolean, false) AS "nullsNotDistinct",
    x.indisvalid AND x.indisready AS "isValid", x.indisreplident AS "isReplicaIdentity",
    x.indisclustered AS "isClustered", x.indnkeyatts::int AS "keyCount",
    (SELECT json_build_object('name', k.conname, 'kind', CASE k.contype WHEN 'p' THEN 'primary key'
        WHEN 'u' THEN 'unique' ELSE 'exclusion' END, 'definition', pg_get_constraintdef(k.oid),
        'isReferenced', EXISTS (
          SELECT FROM pg_constraint f WHERE f.conindid = i.oid AND f.contype = 'f'))
      FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x') LIMIT 1)
      AS "constraint",
    (SELECT h.inhparent::bigint::float8 FROM pg_inherits h WHERE h.inhrelid = i.oid) AS "parentOid",
    coalesce(i.reloptions, '{}') AS options, (${ATTRIBUTES}) AS attributes,
    (coalesce(pg_relation_size(i.oid), 0) / current_setting('block_size')::int)::float8 AS pages,
    coalesce(pg_relation_size(i.oid), 0)::float8 AS bytes,
    i.relpages::float8 AS "analysedPages", i.reltuples::float8 AS "analysedRows",
    coalesce(s.idx_scan, 0)::float8 AS scans, coalesce(s.idx_tup_read, 0)::float8 AS "tuplesRead",
    coalesce(s.idx_tup_fetch, 0)::float8 AS "tuplesFetched",
    extract(epoch FROM (to_jsonb(s) ->> 'last_idx_scan')::timestamptz)::float8 * 1000
      AS "lastScanAt"
  FROM pg_index x
    JOIN pg_class i ON i.oid = x.indexrelid
    JOIN pg_class c ON c.oid = x.indrelid
    JOIN pg_namespace n ON n.oid = c.relnamespace
    JOIN pg_am am ON am.oid = i.relam
    LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = i.oid
  WHERE ${USER_SCHEMA} AND c.relkind IN ('r', 'p', 'm') AND c.relpersistence <> 't'
    AND x.indislive
  ORDER BY i.oid`;
