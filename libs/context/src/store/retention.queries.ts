import type { Queryable } from './database.js';

/**
 * Deletes entries past the retention of their source, and those marked as expired, with their
 * index. Returns how many, and of which sources; fewer than `limit` means that none are left.
 */
export async function deleteExpiredEntries(
  database: Queryable,
  now: Date,
  limit: number,
): Promise<{ readonly deleted: number; readonly sourceIds: readonly string[] }> {
  const [row] = await database.query<{ deleted: number; sourceIds: string[] | null }>(
    `WITH expired AS (
       SELECT e.id FROM context_source s
       CROSS JOIN LATERAL (
         SELECT id FROM context_entry e
         WHERE e.source_id = s.id AND e.occurred_at < $1::timestamptz - s.retention_days * interval '1 day'
         LIMIT $2
       ) e
       WHERE s.retention_days IS NOT NULL
       UNION
       SELECT id FROM context_entry WHERE lifecycle = 'expired'
       LIMIT $2
     ), locked AS (
       SELECT e.id FROM context_entry e JOIN expired USING (id) FOR UPDATE OF e SKIP LOCKED
     ), deleted AS (
       DELETE FROM context_entry e USING locked WHERE e.id = locked.id RETURNING e.source_id
     )
     SELECT count(*)::int AS deleted, array_agg(DISTINCT source_id) AS "sourceIds" FROM deleted`,
    [now, limit],
  );
  return { deleted: row?.deleted ?? 0, sourceIds: row?.sourceIds ?? [] };
}
