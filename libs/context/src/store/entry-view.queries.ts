import type { RowStreamOptions } from '#libs/persistence';
import type { EntrySort } from '../port/dual-store-manager.js';
import type { EntryView, LargeEntryField } from '../services/views.js';
import type { ContextDatabase, Queryable } from './database.js';

/** Which entries of a source to read, and which of their large fields. */
export interface EntrySelection {
  readonly sourceId: string;
  readonly notBefore: Date | null;
  readonly sort: EntrySort;
  readonly fields: readonly LargeEntryField[];
}

/** The sort key of an entry. */
export type EntryKey = readonly [occurredAtMs: number, id: string];

const COLUMNS = `id, source_id AS "sourceId", role, type, author, occurred_at AS "occurredAt",
  importance, pinned, rating, access_count AS "accessCount",
  last_accessed_at AS "lastAccessedAt", tier, lifecycle, external_key AS "externalKey",
  created_at AS "createdAt"`;

/** $1 is the source, $2 the earliest time; what has expired is only waiting to be purged. */
const SHOWN = `source_id = $1 AND lifecycle <> 'expired'
  AND occurred_at >= coalesce($2::timestamptz, '-infinity')`;

/** A page of entries after a key, by time of occurrence. */
export function findEntryPage(
  database: Queryable,
  { sourceId, notBefore, sort, fields }: EntrySelection,
  after: EntryKey | undefined,
  limit: number,
): Promise<EntryView[]> {
  const [direction, isAfter] = sort === 'newest' ? ['DESC', '<'] : ['ASC', '>'];
  const values: unknown[] = [sourceId, notBefore, limit];
  if (after !== undefined) values.push(new Date(after[0]), after[1]);
  return database.query(
    `SELECT ${[COLUMNS, ...fields].join(', ')} FROM context_entry
     WHERE ${SHOWN} ${after === undefined ? '' : `AND (occurred_at, id) ${isAfter} ($4, $5::uuid)`}
     ORDER BY occurred_at ${direction}, id ${direction} LIMIT $3`,
    values,
  );
}

/** All entries by time of occurrence, from a database cursor. */
export function streamEntries(
  database: ContextDatabase,
  { sourceId, notBefore, sort, fields }: EntrySelection,
  options: RowStreamOptions,
): Promise<AsyncIterableIterator<EntryView>> {
  const direction = sort === 'newest' ? 'DESC' : 'ASC';
  return database.stream<EntryView>(
    `SELECT ${[COLUMNS, ...fields].join(', ')} FROM context_entry WHERE ${SHOWN}
     ORDER BY occurred_at ${direction}, id ${direction}`,
    [sourceId, notBefore],
    options,
  );
}

/** One entry with its large fields. */
export async function findEntryView(
  database: Queryable,
  sourceId: string,
  id: string,
  notBefore: Date | null,
): Promise<EntryView | undefined> {
  const [row] = await database.query<EntryView>(
    `SELECT ${COLUMNS}, text, metadata FROM context_entry WHERE ${SHOWN} AND id = $3`,
    [sourceId, notBefore, id],
  );
  return row;
}

/** The external keys of a source, from a database cursor. */
export function streamExternalKeys(
  database: ContextDatabase,
  sourceId: string,
  options: RowStreamOptions,
): Promise<AsyncIterableIterator<{ readonly id: string; readonly externalKey: string }>> {
  return database.stream(
    `SELECT id, external_key AS "externalKey" FROM context_entry
     WHERE source_id = $1 AND external_key IS NOT NULL ORDER BY external_key`,
    [sourceId],
    options,
  );
}

/** Deletes entries of a source with their index. Returns how many. */
export async function deleteEntries(
  database: Queryable,
  sourceId: string,
  ids: readonly string[],
): Promise<number> {
  const [row] = await database.query<{ deleted: number }>(
    `WITH deleted AS (
       DELETE FROM context_entry WHERE source_id = $1 AND id = ANY($2::uuid[]) RETURNING 1
     ) SELECT count(*)::int AS deleted FROM deleted`,
    [sourceId, ids],
  );
  return row?.deleted ?? 0;
}
