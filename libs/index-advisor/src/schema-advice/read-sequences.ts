import { USER_SCHEMA } from '../catalog/own-objects.js';
import type { Connection } from '../connection/connection.js';

/** A sequence that fills a column, and how far it has come. */
export interface ColumnSequence {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly columnType: 'smallint' | 'integer' | 'bigint';
  readonly sequence: string;
  /** The last value given; null when none was, or when this role may not see it. */
  readonly lastValue: number | null;
  readonly maxValue: number;
}

/** Sequences that belong to a column: serial, identity, `OWNED BY`. */
export function readSequences(connection: Connection): Promise<readonly ColumnSequence[]> {
  return connection.query<ColumnSequence>(`
    SELECT n.nspname::text AS schema, c.relname::text AS "table", a.attname::text AS "column",
      format_type(a.atttypid, NULL) AS "columnType", s.relname::text AS sequence,
      CASE WHEN has_sequence_privilege(s.oid, 'USAGE, SELECT')
        THEN pg_sequence_last_value(s.oid)::float8 END AS "lastValue",
      q.seqmax::float8 AS "maxValue"
    FROM pg_depend d
      JOIN pg_class s ON s.oid = d.objid AND s.relkind = 'S'
      JOIN pg_sequence q ON q.seqrelid = s.oid
      JOIN pg_class c ON c.oid = d.refobjid
      JOIN pg_namespace n ON n.oid = c.relnamespace
      JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
    WHERE d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass
      AND d.deptype IN ('a', 'i') AND a.atttypid IN ('int2'::regtype, 'int4'::regtype, 'int8'::regtype)
      AND ${USER_SCHEMA}
    ORDER BY s.oid`);
}
