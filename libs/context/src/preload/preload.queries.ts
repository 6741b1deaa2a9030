import type { StoreEntry } from '../port/store-entry.js';
import type { Queryable } from '../store/database.js';
import { anHourBefore, COLUMNS, type StoreRow, toStoreEntry } from '../store/source-reads.js';
import { PRELOAD_CATEGORIES, type PreloadCategory, type PreloadConfig } from './preload.config.js';

/** Entries, the newest first, among which the frequent ones are found. */
const FREQUENT_AMONG = 2000;
/** What is given often is ranked by the logarithm, and need not be counted to the end. */
const MOST_EVENTS = 20_000;

const SHOWN = `source_id = $1 AND lifecycle IN ('active', 'expiring')
  AND ($2::timestamptz IS NULL OR occurred_at >= $2)`;

/** Ids in one text for each category: a row apiece takes the driver longer than reading them. */
const CHOICE_SQL = `
  SELECT
    array_to_string(ARRAY(
      SELECT id FROM context_entry WHERE ${SHOWN} ORDER BY occurred_at DESC, id DESC LIMIT $3
    ), ',') AS recent,
    array_to_string(ARRAY(
      SELECT id FROM (
        SELECT id, access_count, last_accessed_at FROM context_entry WHERE ${SHOWN}
        ORDER BY occurred_at DESC, id DESC LIMIT ${FREQUENT_AMONG}
      ) latest WHERE access_count > 0
      ORDER BY access_count DESC, last_accessed_at DESC, id LIMIT $3
    ), ',') AS frequent,
    array_to_string(ARRAY(
      SELECT id FROM context_entry
      WHERE ${SHOWN} AND (importance > 0 OR pinned OR rating > 0)
      ORDER BY importance + CASE WHEN pinned THEN 2.5 ELSE 0 END + coalesce(rating, 0) DESC,
        occurred_at DESC, id LIMIT $3
    ), ',') AS important`;

const ROWS_SQL = `
  SELECT ${COLUMNS}, i.embedding AS features, i.dense, accesses.accesses AS "recentAccesses"
  FROM unnest($1::uuid[]) WITH ORDINALITY AS w(id, place)
  JOIN context_entry e ON e.id = w.id
  LEFT JOIN entry_index i ON i.entry_id = e.id
  LEFT JOIN (
    SELECT entry_id, sum(accesses)::int AS accesses FROM (
      SELECT entry_id, accesses FROM access_event
      WHERE occurred_at > $2 AND entry_id = ANY ($1::uuid[]) LIMIT ${MOST_EVENTS}
    ) events GROUP BY entry_id
  ) accesses ON accesses.entry_id = e.id
  ORDER BY w.place`;

/** The categories that a statement alone can fill. */
export type ChosenCategory = Exclude<PreloadCategory, 'context'>;

/** Ids of the entries of a source that each category would take, at most `limit`, the best first. */
export async function chooseEntries(
  database: Queryable,
  sourceId: string,
  notBefore: Date | null,
  limit: number,
): Promise<Record<ChosenCategory, string[]>> {
  const [row] = await database.query<Record<ChosenCategory, string>>(CHOICE_SQL, [
    sourceId,
    notBefore?.toISOString() ?? null,
    limit,
  ]);
  const idsOf = (text: string | undefined): string[] =>
    text === undefined || text === '' ? [] : text.split(',');
  return {
    recent: idsOf(row?.recent),
    frequent: idsOf(row?.frequent),
    important: idsOf(row?.important),
  };
}

/** Entries by id with all that ranking takes, in the order of the ids. */
export async function readEntries(
  database: Queryable,
  ids: readonly string[],
  now: Date,
): Promise<StoreEntry[]> {
  if (ids.length === 0) return [];
  const rows = await database.query<Omit<StoreRow, 'read'>>(ROWS_SQL, [ids, anHourBefore(now)]);
  return rows.map((row) => toStoreEntry(row, row.features));
}

/** What is known of the preloading of one user. */
export interface PreloadRecord {
  readonly userId: string;
  readonly organizationId: string;
  /** Null: the defaults. */
  readonly config: PreloadConfig | null;
  readonly jobId: string | null;
  readonly requestedAt: Date | null;
  readonly loadedAt: Date | null;
  readonly durationMs: number | null;
  /** Rows of each category at the last load. */
  readonly rows: Readonly<Record<PreloadCategory, number>> | null;
}

const RECORD = `user_id AS "userId", organization_id AS "organizationId", config,
  job_id AS "jobId", requested_at AS "requestedAt", loaded_at AS "loadedAt",
  duration_ms AS "durationMs", rows`;

export async function findPreload(
  database: Queryable,
  userId: string,
): Promise<PreloadRecord | undefined> {
  const [record] = await database.query<PreloadRecord>(
    `SELECT ${RECORD} FROM memory_preload WHERE user_id = $1`,
    [userId],
  );
  return record;
}

interface Owner {
  readonly userId: string;
  readonly organizationId: string;
}

export async function savePreloadConfig(
  database: Queryable,
  { userId, organizationId }: Owner,
  config: PreloadConfig,
): Promise<void> {
  await database.query(
    `INSERT INTO memory_preload (user_id, organization_id, config) VALUES ($1, $2, $3)
     ON CONFLICT (user_id) DO UPDATE SET config = excluded.config`,
    [userId, organizationId, JSON.stringify(config)],
  );
}

export async function savePreloadRequest(
  database: Queryable,
  { userId, organizationId }: Owner,
  jobId: string,
  now: Date,
): Promise<void> {
  await database.query(
    `INSERT INTO memory_preload (user_id, organization_id, job_id, requested_at)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (user_id) DO UPDATE
       SET job_id = excluded.job_id, requested_at = excluded.requested_at`,
    [userId, organizationId, jobId, now.toISOString()],
  );
}

export async function savePreloadOutcome(
  database: Queryable,
  { userId, organizationId }: Owner,
  outcome: {
    readonly loadedAt: Date;
    readonly durationMs: number;
    readonly rows: Readonly<Record<PreloadCategory, number>>;
  },
): Promise<void> {
  await database.query(
    `INSERT INTO memory_preload (user_id, organization_id, loaded_at, duration_ms, rows)
     VALUES ($1, $2, $3, $4, $5)
     ON CONFLICT (user_id) DO UPDATE SET loaded_at = excluded.loaded_at,
       duration_ms = excluded.duration_ms, rows = excluded.rows`,
    [
      userId,
      organizationId,
      outcome.loadedAt.toISOString(),
      outcome.durationMs,
      JSON.stringify(outcome.rows),
    ],
  );
}

/** Users who want to stay preloaded and were not loaded since, in the order of their ids. */
export function listDuePreloads(
  database: Queryable,
  loadedBefore: Date,
  afterUserId: string,
  limit: number,
): Promise<PreloadRecord[]> {
  return database.query(
    `SELECT ${RECORD} FROM memory_preload
     WHERE user_id > $2 AND (config ->> 'auto')::boolean
       AND (loaded_at IS NULL OR loaded_at < $1)
     ORDER BY user_id LIMIT $3`,
    [loadedBefore.toISOString(), afterUserId, limit],
  );
}

/** The same figure for each category. */
export function forEachCategory<Value>(
  valueOf: (category: PreloadCategory) => Value,
): Record<PreloadCategory, Value> {
  return Object.fromEntries(
    PRELOAD_CATEGORIES.map((category) => [category, valueOf(category)]),
  ) as Record<PreloadCategory, Value>;
}
