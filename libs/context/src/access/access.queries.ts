import type { Queryable } from '../store/database.js';

export interface AccessEventRow {
  readonly entryId: string;
  readonly occurredAt: Date;
  readonly userId: string;
}

/** Appends events; those of the same user, entry and millisecond count once. */
export async function appendAccessEvents(
  database: Queryable,
  events: readonly AccessEventRow[],
): Promise<void> {
  await database.query(
    `INSERT INTO access_event (entry_id, occurred_at, user_id)
     SELECT * FROM unnest($1::uuid[], $2::timestamptz[], $3::uuid[])
     ON CONFLICT DO NOTHING`,
    [
      events.map(({ entryId }) => entryId),
      events.map(({ occurredAt }) => occurredAt.toISOString()),
      events.map(({ userId }) => userId),
    ],
  );
}

/**
 * Adds events to the counters of their entries. Rows are locked in the order of their ids, as by
 * every process that does this, so that none waits for another in a circle.
 */
export async function countAccesses(
  database: Queryable,
  events: readonly AccessEventRow[],
): Promise<void> {
  const counts = new Map<string, { count: number; last: Date }>();
  for (const { entryId, occurredAt } of events) {
    const known = counts.get(entryId);
    counts.set(entryId, { count: (known?.count ?? 0) + 1, last: occurredAt });
  }
  const ids = [...counts.keys()];
  await database.query(
    `WITH counted AS (
       SELECT * FROM unnest($1::uuid[], $2::int[], $3::timestamptz[]) AS c(id, count, last)
     ), locked AS (
       SELECT e.id FROM context_entry e JOIN counted USING (id) ORDER BY e.id FOR NO KEY UPDATE OF e
     )
     UPDATE context_entry e
     SET access_count = e.access_count + c.count, last_accessed_at = c.last
     FROM counted c JOIN locked USING (id) WHERE e.id = c.id`,
    [
      ids,
      ids.map((id) => counts.get(id)?.count ?? 0),
      ids.map((id) => counts.get(id)?.last.toISOString()),
    ],
  );
}
