import type { Connection } from '../connection/connection.js';
import type { Partitioning, Table, TableActivity, TableKind, TableSize } from './catalog.js';
import { dateOf, notOfExtension, USER_SCHEMA } from './own-objects.js';

/** A table without what other catalogs hold about it. */
export type BareTable = Omit<
  Table,
  'columns' | 'indexes' | 'foreignKeys' | 'checks' | 'extendedStatistics'
> & {
  /** Whether policies hide rows, and statistics with them, from this role. */
  readonly rowSecurityApplies: boolean;
};

interface TableRow {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly kind: TableKind;
  readonly isUnlogged: boolean;
  readonly hasRowSecurity: boolean;
  readonly rowSecurityApplies: boolean;
  readonly options: readonly string[];
  readonly key: string | null;
  readonly bound: string | null;
  readonly parents: readonly number[];
  readonly size: Omit<TableSize, 'rows'>;
  readonly activity: Omit<TableActivity, 'lastVacuumAt' | 'lastAnalyseAt'>;
  readonly lastVacuumAt: number | null;
  readonly lastAnalyseAt: number | null;
}

/** Tables of users of all kinds, without temporary ones. */
export async function readTables(connection: Connection): Promise<readonly BareTable[]> {
  const rows = await connection.query<TableRow>(TABLES);
  return rows.map((row) => tableOf(row));
}

function tableOf({ key, bound, parents, size, ...row }: TableRow): BareTable {
  const { lastVacuumAt, lastAnalyseAt, activity, ...table } = row;
  return {
    ...table,
    partitioning: partitioningOf(key, bound, parents),
    size: { ...size, rows: rowsNow(size) },
    activity: {
      ...activity,
      lastVacuumAt: dateOf(lastVacuumAt),
      lastAnalyseAt: dateOf(lastAnalyseAt),
    },
  };
}

function partitioningOf(
  key: string | null,
  bound: string | null,
  parents: readonly number[],
): Partitioning {
  return {
    parents,
    ...(key === null ? {} : { key }),
    ...(bound === null ? {} : { bound }),
  };
}

/** As the planner does: the density when last analysed, times the pages now. */
function rowsNow({ pages, analysedPages, analysedRows }: Omit<TableSize, 'rows'>): number {
  if (analysedRows < 0) return 0;
  return analysedPages > 0 ? Math.round((analysedRows / analysedPages) * pages) : analysedRows;
}

const TABLES = `
  SELECT c.oid::bigint::float8 AS oid, n.nspname::text AS schema, c.relname::text AS name,
    CASE c.relkind WHEN 'r' THEN 'table' WHEN 'p' THEN 'partitioned'
      WHEN 'm' THEN 'materialized view' ELSE 'foreign table' END AS kind,
    c.relpersistence = 'u' AS "isUnlogged", c.relrowsecurity AS "hasRowSecurity",
    row_security_active(c.oid) AS "rowSecurityApplies", coalesce(c.reloptions, '{}') AS options,
    CASE WHEN c.relkind = 'p' THEN pg_get_partkeydef(c.oid) END AS key,
    CASE WHEN c.relispartition THEN pg_get_expr(c.relpartbound, c.oid) END AS bound,
    coalesce((SELECT json_agg(h.inhparent::bigint::float8 ORDER BY h.inhseqno) FROM pg_inherits h
      WHERE h.inhrelid = c.oid), '[]') AS parents,
    json_build_object('pages', coalesce(pg_relation_size(c.oid), 0)
        / current_setting('block_size')::int,
      'analysedPages', c.relpages,
      -- Before PostgreSQL 14 a table that was never analysed had no pages and no rows.
      'analysedRows', CASE WHEN c.relpages = 0 AND c.reltuples = 0
        AND current_setting('server_version_num')::int < 140000 THEN -1 ELSE c.reltuples END,
      'allVisiblePages', c.relallvisible,
      'bytes', coalesce(pg_table_size(c.oid), 0)) AS size,
    json_build_object('sequentialScans', coalesce(s.seq_scan, 0),
      'indexScans', coalesce(s.idx_scan, 0), 'inserts', coalesce(s.n_tup_ins, 0),
      'updates', coalesce(s.n_tup_upd, 0), 'hotUpdates', coalesce(s.n_tup_hot_upd, 0),
      'deletes', coalesce(s.n_tup_del, 0), 'liveRows', coalesce(s.n_live_tup, 0),
      'deadRows', coalesce(s.n_dead_tup, 0),
      'changesSinceAnalyse', coalesce(s.n_mod_since_analyze, 0)) AS activity,
    extract(epoch FROM greatest(s.last_vacuum, s.last_autovacuum))::float8 * 1000
      AS "lastVacuumAt",
    extract(epoch FROM greatest(s.last_analyze, s.last_autoanalyze))::float8 * 1000
      AS "lastAnalyseAt"
  FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_stat_user_tables s ON s.relid = c.oid
  WHERE ${USER_SCHEMA} AND c.relkind IN ('r', 'p', 'm', 'f') AND c.relpersistence <> 't'
    AND ${notOfExtension('pg_class', 'c.oid')}
  ORDER BY c.oid`;
