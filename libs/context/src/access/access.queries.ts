import type { Queryable } from '../store/database.js';

/** A user was given an entry some times, the last time at `occurredAt`. */
export interface AccessEventRow {
  readonly entryId: string;
  readonly userId: string;
  readonly occurredAt: Date;
  readonly accesses: number;
}

/** Appends events. */
export async function appendAccessEvents(
  database: Queryable,
  events: readonly AccessEventRow[],
): Promise<void> {
  await database.query(
    `INSERT INTO access_event AS e (entry_id, occurred_at, user_id, accesses)
     SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[], $4::int[])
     ON CONFLICT (entry_id, occurred_at, user_id) DO UPDATE
       SET accesses = e.accesses + excluded.accesses`,
    [
      events.map(({ entryId }) => entryId),
      events.map(({ occurredAt }) => occurredAt.toISOString()),
      events.map(({ userId }) => userId),
      events.map(({ accesses }) => accesses),
    ],
  );
}

/** How often an entry was given, and when last. */
export interface AccessCount {
  readonly count: number;
  readonly last: Date;
}

/**
 * Adds to the counters of entries. Rows are locked in the order of their ids, as by every process
 * that does this, so that none waits for another in a circle.
 */
export async function countAccesses(
  database: Queryable,
  counts: ReadonlyMap<string, AccessCount>,
): Promise<void> {
  if (counts.size === 0) return;
  const all = [...counts.values()];
  await database.query(
    `WITH counted AS (
       SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) AS c(id, count, last)
     ), locked AS (
       SELECT e.id FROM context_entry e JOIN counted USING (id) ORDER BY e.id FOR NO KEY UPDATE OF e
     )
     UPDATE context_entry e
     SET access_count = e.access_count + c.count, last_accessed_at = c.last
     FROM counted c JOIN locked USING (id) WHERE e.id = c.id`,
    [[...counts.keys()], all.map(({ count }) => count), all.map(({ last }) => last.toISOString())],
  );
}
