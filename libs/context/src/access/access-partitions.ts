import type { Queryable } from '../store/database.js';

const DAY_MS = 86_400_000;
const DAYS_AHEAD = 3;
const PREFIX = 'access_event_';
/** Processes that make partitions at the same time meet on this advisory lock. */
const LOCK_KEY = 7_262_684_020;

/** The daily partitions of access events: made ahead of time, dropped when old. */
export class AccessPartitions {
  private ensuredUntilMs = -Infinity;

  constructor(private readonly database: Queryable) {}

  /** Makes the partitions of today and the days ahead, unless this process has seen to it. */
  async ensure(now: Date): Promise<void> {
    if (now.getTime() + DAY_MS < this.ensuredUntilMs) return;
    const today = startOfDay(now);
    const days = Array.from({ length: DAYS_AHEAD + 1 }, (_, day) => today + day * DAY_MS);
    // Several statements in one message are one transaction.
    await this.database.query(
      [`SELECT pg_advisory_xact_lock(${LOCK_KEY})`, ...days.map(createSql)].join(';'),
    );
    this.ensuredUntilMs = today + (DAYS_AHEAD + 1) * DAY_MS;
  }

  /** Drops the partitions that hold only events from before a time. Returns their names. */
  async dropBefore(time: Date): Promise<string[]> {
    const rows = await this.database.query<{ name: string }>(
      `SELECT c.relname AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
       WHERE i.inhparent = 'access_event'::regclass`,
    );
    const lastKept = nameOf(startOfDay(time));
    const old = rows.map(({ name }) => name).filter((name) => isPartition(name) && name < lastKept);
    for (const name of old) await this.database.query(`DROP TABLE IF EXISTS ${name}`);
    return old.sort();
  }
}

/** Names are made of digits, so they sort by time and are safe in SQL. */
function nameOf(dayMs: number): string {
  return `${PREFIX}${new Date(dayMs).toISOString().slice(0, 10).replaceAll('-', '')}`;
}

function isPartition(name: string): boolean {
  return /^access_event_\d{8}$/.test(name);
}

function createSql(dayMs: number): string {
  const from = new Date(dayMs).toISOString();
  const to = new Date(dayMs + DAY_MS).toISOString();
  return `CREATE TABLE IF NOT EXISTS ${nameOf(dayMs)} PARTITION OF access_event
    FOR VALUES FROM ('${from}') TO ('${to}')`;
}

function startOfDay(time: Date): number {
  return Math.floor(time.getTime() / DAY_MS) * DAY_MS;
}
