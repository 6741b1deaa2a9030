import { messageOf } from '#libs/core';
import type { Connection } from '../connection/connection.js';
import { readOnly, type ReadLimits } from '../connection/read-only.js';
import { quoteName } from '../what-if/candidate-index.js';
import type { RecordedStatement, RecordedWorkload } from './workload.js';

/** Statements that are read, those that took most of the time first. */
const MAX_STATEMENTS = 1000;
const HIDDEN = '<insufficient privilege>';

/**
 * What pg_stat_statements counted in this database. Without the extension, or when the server does
 * not load it, the answer is empty and says what to do.
 */
export async function readStatStatements(
  connection: Connection,
  limits?: ReadLimits,
): Promise<RecordedWorkload> {
  const [extension] = await connection.query<{ schema: string }>(
    `SELECT n.nspname::text AS schema FROM pg_extension e
       JOIN pg_namespace n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'`,
  );
  if (extension === undefined) {
    return nothing(
      'pg_stat_statements is not installed in this database, so what it was asked is not known. ' +
        'Add it to shared_preload_libraries, restart, and run CREATE EXTENSION pg_stat_statements.',
    );
  }
  try {
    return await readOnly(connection, () => read(connection, quoteName(extension.schema)), limits);
  } catch (error) {
    // Such as "must be loaded via shared_preload_libraries", which tells the remedy itself.
    return nothing(`pg_stat_statements could not be read: ${messageOf(error)}.`);
  }
}

function nothing(note: string): RecordedWorkload {
  return { statements: [], since: undefined, notes: [note] };
}

interface StatementRow {
  readonly text: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly rows: number;
}

async function read(connection: Connection, schema: string): Promise<RecordedWorkload> {
  const columns = await connection.query<{ name: string }>(
    `SELECT a.attname::text AS name FROM pg_attribute a
     WHERE a.attrelid = '${schema.replaceAll("'", "''")}.pg_stat_statements'::regclass AND a.attnum > 0`,
  );
  // An extension that was not updated with its server still has the old name.
  const isOld = !columns.some(({ name }) => name === 'total_exec_time');
  const rows = await connection.query<StatementRow>(
    `SELECT s.query AS text, sum(s.calls)::float8 AS calls, sum(s.rows)::float8 AS rows,
       sum(s.${isOld ? 'total_time' : 'total_exec_time'})::float8 AS "totalMs"
     FROM ${schema}.pg_stat_statements s
     WHERE s.dbid = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())
       AND s.query IS NOT NULL
     GROUP BY s.query ORDER BY 4 DESC LIMIT ${MAX_STATEMENTS}`,
  );
  const hidden = rows.filter(({ text }) => text === HIDDEN);
  const { since, note } = await readReset(connection, schema);
  const statements: readonly RecordedStatement[] = rows.filter(({ text }) => text !== HIDDEN);
  const notes = [
    ...(hidden.length === 0
      ? []
      : [
          'Statements of other roles are hidden from this one. Grant it pg_read_all_stats to ' +
            'include them.',
        ]),
    ...(note === undefined ? [] : [note]),
  ];
  return { statements, since, notes };
}

/** Since when the counters count; known from PostgreSQL 14. */
async function readReset(
  connection: Connection,
  schema: string,
): Promise<{ readonly since: Date | undefined; readonly note?: string }> {
  const [view] = await connection.query<{ exists: boolean }>(
    'SELECT to_regclass($1) IS NOT NULL AS exists',
    [`${schema}.pg_stat_statements_info`],
  );
  if (view?.exists !== true) return { since: undefined };
  const [info] = await connection.query<{ since: number; evicted: number }>(
    `SELECT extract(epoch FROM stats_reset)::float8 * 1000 AS since, dealloc::float8 AS evicted
     FROM ${schema}.pg_stat_statements_info`,
  );
  if (info === undefined) return { since: undefined };
  const since = new Date(info.since);
  return info.evicted === 0
    ? { since }
    : {
        since,
        note:
          'pg_stat_statements had more statements than it can hold and forgot rare ones. ' +
          'Raise pg_stat_statements.max to see them all.',
      };
}
