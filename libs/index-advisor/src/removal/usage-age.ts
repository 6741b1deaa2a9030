import type { Connection } from '../connection/connection.js';

/** How much the counters of a server can tell about use. */
export interface UsageAge {
  /** Since when all counters count: the last reset, crash or start of the cluster. */
  readonly since: Date | undefined;
  /** The server's time. */
  readonly now: Date;
  /** Servers that stream from this one; reads on them count there and not here. */
  readonly replicas: number;
}

interface AgeRow {
  readonly since: number | null;
  readonly now: number;
  readonly replicas: number;
}

/** Reads how old the counters are and whether other servers have counters of their own. */
export async function readUsageAge(connection: Connection): Promise<UsageAge> {
  // After a crash all counters begin anew, which the background writer's reset time shows.
  const [row] = await connection.query<AgeRow>(`
    SELECT extract(epoch FROM greatest(
        (SELECT s.stats_reset FROM pg_stat_database s WHERE s.datname = current_database()),
        (SELECT b.stats_reset FROM pg_stat_bgwriter b)))::float8 * 1000 AS since,
      extract(epoch FROM clock_timestamp())::float8 * 1000 AS now,
      greatest((SELECT count(*) FROM pg_stat_replication),
        (SELECT count(*) FROM pg_replication_slots p WHERE p.slot_type = 'physical'))::float8
        AS replicas`);
  if (row === undefined) throw new Error('The server did not tell its time.');
  return {
    since: row.since === null ? undefined : new Date(row.since),
    now: new Date(row.now),
    replicas: row.replicas,
  };
}

const DAY_MS = 86_400_000;

/** Days that the counters cover; undefined when nobody knows. */
export function daysCounted({ since, now }: UsageAge): number | undefined {
  return since === undefined ? undefined : Math.max(0, (now.getTime() - since.getTime()) / DAY_MS);
}
