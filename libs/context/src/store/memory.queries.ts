import type { Queryable } from './database.js';

/** Ids of the entries of a source that somebody has marked, the most important first. */
export async function findNotable(
  database: Queryable,
  sourceId: string,
  limit: number,
): Promise<string[]> {
  const rows = await database.query<{ id: string }>(
    `SELECT id FROM context_entry
     WHERE source_id = $1 AND (importance > 0 OR pinned OR rating > 0)
       AND lifecycle IN ('active', 'expiring')
     ORDER BY importance + CASE WHEN pinned THEN 2.5 ELSE 0 END + coalesce(rating, 0) DESC,
       occurred_at DESC
     LIMIT $2`,
    [sourceId, limit],
  );
  return rows.map(({ id }) => id);
}

/** Sets what is not null of an entry's rating, pin and importance. Returns whether it is there. */
export async function rateEntry(
  database: Queryable,
  sourceId: string,
  id: string,
  marks: {
    readonly rating: number | null;
    readonly pinned: boolean | null;
    readonly importance: number | null;
  },
): Promise<boolean> {
  const rows = await database.query(
    `UPDATE context_entry
     SET rating = coalesce($3, rating), pinned = coalesce($4, pinned),
       importance = coalesce($5, importance), updated_at = now()
     WHERE source_id = $1 AND id = $2 RETURNING id`,
    [sourceId, id, marks.rating, marks.pinned, marks.importance],
  );
  return rows.length > 0;
}
