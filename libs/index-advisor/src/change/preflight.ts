import type { ChangeSession } from './change-session.js';
import type { ChangeLimits } from './change-limits.js';

/** What was looked at before a change, and what was seen. */
export interface PreflightCheck {
  readonly name:
    | 'server'
    | 'table'
    | 'long-transactions'
    | 'prepared-transactions'
    | 'replication-slots'
    | 'other-builds'
    | 'disk';
  readonly state: 'fine' | 'warning' | 'refused';
  readonly detail: string;
}

export interface PreflightOptions {
  readonly schema: string;
  readonly table: string;
  readonly expectedBytes: number | undefined;
  readonly limits: ChangeLimits;
  /** Free bytes where the server keeps its data; undefined when nobody knows. */
  readonly diskFreeBytes: number | undefined;
}

interface Facts {
  readonly isReplica: boolean;
  readonly kind: string | null;
  readonly mayChange: boolean;
  readonly transactions: number;
  readonly oldestMs: number | null;
  readonly hidden: number;
  readonly prepared: number;
  readonly idleSlots: number;
  readonly retainedBytes: number;
  readonly buildsOnTable: number;
  readonly builds: number;
}

/** Looks at what would make a build of an index harmful, endless or impossible. */
export async function preflight(
  session: ChangeSession,
  options: PreflightOptions,
): Promise<readonly PreflightCheck[]> {
  const [facts] = await session.query<Facts>(FACTS, [options.schema, options.table]);
  if (facts === undefined) throw new Error('The server did not answer about itself.');
  return [
    server(facts),
    table(facts),
    longTransactions(facts, options),
    check('prepared-transactions', facts.prepared === 0, 'refused', {
      fine: 'there are none',
      else: `${facts.prepared} prepared transactions are open, and a build waits for them: finish them`,
    }),
    slots(facts),
    builds(facts),
    disk(facts, options),
  ];
}

function server({ isReplica }: Facts): PreflightCheck {
  return check('server', !isReplica, 'refused', {
    fine: 'it takes writes',
    else: 'it is a replica: change the primary',
  });
}

function table({ kind, mayChange }: Facts): PreflightCheck {
  const reason =
    kind === null
      ? 'there is no such table'
      : kind === 'p'
        ? 'it is partitioned, and an index on all partitions cannot be built concurrently: build one on each'
        : mayChange
          ? undefined
          : 'this role does not own it';
  const isFine = reason === undefined;
  return check('table', isFine, 'refused', { fine: 'it can be changed', else: reason ?? '' });
}

function longTransactions(facts: Facts, { limits }: PreflightOptions): PreflightCheck {
  const { transactions, oldestMs, hidden } = facts;
  const name = 'long-transactions';
  const seconds = Math.round((oldestMs ?? 0) / 1000);
  if ((oldestMs ?? 0) > limits.maxTransactionAgeMs) {
    const detail = `a transaction is open for ${seconds} s, and a build waits for it: end it first`;
    return { name, state: 'refused', detail };
  }
  const unseen = hidden === 0 ? '' : `, ${hidden} of other roles cannot be seen`;
  if (transactions > 0) {
    const detail = `${transactions} are open, the oldest for ${seconds} s; the build waits for them${unseen}`;
    return { name, state: 'warning', detail };
  }
  return { name, state: 'fine', detail: `there are none${unseen}` };
}

function slots({ idleSlots, retainedBytes }: Facts): PreflightCheck {
  return check('replication-slots', idleSlots === 0, 'warning', {
    fine: 'all are in use, or there are none',
    else:
      `${idleSlots} are not in use and keep ${megabytes(retainedBytes)} of WAL; ` +
      'a build adds about the size of the index',
  });
}

function builds({ buildsOnTable, builds: others }: Facts): PreflightCheck {
  const name = 'other-builds';
  if (buildsOnTable > 0) {
    return { name, state: 'refused', detail: 'an index of this table is being built already' };
  }
  return check(name, others === 0, 'warning', {
    fine: 'there are none',
    else: `${others} indexes of other tables are being built`,
  });
}

function disk(
  { retainedBytes, idleSlots }: Facts,
  { diskFreeBytes, expectedBytes }: PreflightOptions,
): PreflightCheck {
  const name = 'disk';
  if (diskFreeBytes === undefined || expectedBytes === undefined) {
    return { name, state: 'fine', detail: 'free space is not known here' };
  }
  // The index, its sorted runs, and its WAL, which unused slots keep.
  const needed = expectedBytes * (idleSlots > 0 ? 4 : 3);
  const kept = retainedBytes > 0 ? `, WAL takes ${megabytes(retainedBytes)}` : '';
  return check(name, diskFreeBytes >= needed, 'refused', {
    fine: `${megabytes(diskFreeBytes)} are free, ${megabytes(needed)} needed${kept}`,
    else: `${megabytes(needed)} are needed for the build, but only ${megabytes(diskFreeBytes)} are free`,
  });
}

function check(
  name: PreflightCheck['name'],
  isFine: boolean,
  otherwise: PreflightCheck['state'],
  detail: { readonly fine: string; readonly else: string },
): PreflightCheck {
  return isFine
    ? { name, state: 'fine', detail: detail.fine }
    : { name, state: otherwise, detail: detail.else };
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MB`;
}

const FACTS = `
  WITH target AS (
    SELECT c.oid, c.relkind::text AS kind, pg_has_role(c.relowner, 'USAGE') AS may_change
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r', 'm', 'p')
  ), others AS (
    SELECT a.xact_start, a.backend_start IS NULL AS is_hidden FROM pg_stat_activity a
    WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()
      AND (a.xact_start IS NOT NULL OR a.backend_start IS NULL)
      AND coalesce(a.query, '') !~* '^\\s*(vacuum|create index concurrently)'
  ), idle_slots AS (
    SELECT pg_wal_lsn_diff(CASE WHEN NOT pg_is_in_recovery() THEN pg_current_wal_lsn() END,
      p.restart_lsn) AS bytes FROM pg_replication_slots p WHERE NOT p.active
  ), builds AS (
    SELECT b.relid FROM pg_stat_progress_create_index b
    WHERE b.datname = current_database() AND b.pid <> pg_backend_pid()
  )
  SELECT pg_is_in_recovery() AS "isReplica", (SELECT kind FROM target) AS kind,
    coalesce((SELECT may_change FROM target), false) AS "mayChange",
    (SELECT count(*) FROM others WHERE NOT is_hidden)::float8 AS transactions,
    (SELECT extract(epoch FROM clock_timestamp() - min(xact_start)) * 1000 FROM others)::float8
      AS "oldestMs",
    (SELECT count(*) FROM others WHERE is_hidden)::float8 AS hidden,
    (SELECT count(*) FROM pg_prepared_xacts x WHERE x.database = current_database())::float8
      AS prepared,
    (SELECT count(*) FROM idle_slots)::float8 AS "idleSlots",
    coalesce((SELECT sum(bytes) FROM idle_slots), 0)::float8 AS "retainedBytes",
    (SELECT count(*) FROM builds WHERE relid = (SELECT oid FROM target))::float8
      AS "buildsOnTable",
    (SELECT count(*) FROM builds)::float8 AS builds`;
