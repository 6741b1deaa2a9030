import type { Connection } from '../connection/connection.js';

/** What stands under a name. */
export type IndexState =
  | { readonly kind: 'absent' }
  | { readonly kind: 'valid' | 'invalid'; readonly bytes: number; readonly scans: number }
  /** A table, a view, or an index of another table. */
  | { readonly kind: 'other' };

interface StateRow {
  readonly isIndex: boolean;
  readonly isValid: boolean | null;
  readonly table: string | null;
  readonly bytes: number;
  readonly scans: number;
}

/** Looks up an index by name. */
export async function readIndexState(
  connection: Connection,
  index: { readonly schema: string; readonly table: string; readonly name: string },
): Promise<IndexState> {
  const [row] = await connection.query<StateRow>(
    `SELECT c.relkind IN ('i', 'I') AS "isIndex", x.indisvalid AND x.indisready AS "isValid",
       t.relname::text AS "table", pg_relation_size(c.oid)::float8 AS bytes,
       coalesce(s.idx_scan, 0)::float8 AS scans
     FROM pg_class c
       JOIN pg_namespace n ON n.oid = c.relnamespace
       LEFT JOIN pg_index x ON x.indexrelid = c.oid
       LEFT JOIN pg_class t ON t.oid = x.indrelid
       LEFT JOIN pg_stat_user_indexes s ON s.indexrelid = c.oid
     WHERE n.nspname = $1 AND c.relname = $2`,
    [index.schema, index.name],
  );
  if (row === undefined) return { kind: 'absent' };
  if (!row.isIndex || row.table !== index.table) return { kind: 'other' };
  const { bytes, scans } = row;
  return { kind: row.isValid === true ? 'valid' : 'invalid', bytes, scans };
}
