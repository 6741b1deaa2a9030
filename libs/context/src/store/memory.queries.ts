import type { Queryable } from './database.js';

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
