import type { Connection } from '../connection/connection.js';
import type { ServerFacts } from './catalog.js';
import { dateOf } from './own-objects.js';

/** Settings outside "Query Tuning" that change plans or how constants are read. */
const SETTINGS = [
  'work_mem',
  'hash_mem_multiplier',
  'effective_io_concurrency',
  'max_parallel_workers_per_gather',
  'parallel_leader_participation',
  'search_path',
  'TimeZone',
  'DateStyle',
  'IntervalStyle',
  'default_text_search_config',
  'array_nulls',
  'standard_conforming_strings',
  'transform_null_equals',
];

interface ServerRow {
  readonly versionNumber: number;
  readonly database: string;
  readonly role: string;
  readonly isReplica: boolean;
  readonly blockBytes: number;
  readonly encoding: string;
  readonly collate: string;
  readonly provider: string | null;
  readonly countersSince: number | null;
}

/** What the server and this session are. */
export async function readServer(connection: Connection): Promise<ServerFacts> {
  // Columns of later versions are read through JSON, where a missing one is null.
  const [row] = await connection.query<ServerRow>(`
    SELECT current_setting('server_version_num')::int AS "versionNumber",
      current_database()::text AS database, current_user::text AS role,
      pg_is_in_recovery() AS "isReplica", current_setting('block_size')::int AS "blockBytes",
      pg_encoding_to_char(d.encoding)::text AS encoding, d.datcollate::text AS collate,
      to_jsonb(d) ->> 'datlocprovider' AS provider,
      (SELECT extract(epoch FROM s.stats_reset)::float8 * 1000 FROM pg_stat_database s
        WHERE s.datid = d.oid) AS "countersSince"
    FROM pg_database d WHERE d.datname = current_database()`);
  if (row === undefined) throw new Error('The server does not list its own database.');
  const settings = await connection.query<{ name: string; value: string }>(
    `SELECT name, current_setting(name) AS value FROM pg_settings
     WHERE category LIKE 'Query Tuning%' OR name = ANY ($1)`,
    [SETTINGS],
  );
  const { collate, provider, countersSince, ...facts } = row;
  return {
    ...facts,
    majorVersion: Math.trunc(row.versionNumber / 10_000),
    sortsByBytes: sortsByBytes(provider, collate),
    settings: new Map(settings.map(({ name, value }) => [name, value])),
    countersSince: dateOf(countersSince),
  };
}

/** As the planner sees it: the C locale of the system, or any of the builtin provider. */
function sortsByBytes(provider: string | null, collate: string): boolean {
  if (provider === 'b') return true;
  return (provider === null || provider === 'c') && ['C', 'POSIX'].includes(collate);
}
