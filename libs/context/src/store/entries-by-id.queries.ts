import type { EntryWhere } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';
import type { Queryable } from './database.js';
import {
  anHourBefore,
  COLUMNS,
  MATCHES,
  NOT_BEFORE,
  RECENT_ACCESSES,
  SHOWN,
  type StoreRow,
  toStoreEntry,
  whereValues,
} from './source-reads.js';

/** Features are known from the search, or not needed. */
const ENTRIES_SQL = `
  WITH picked AS MATERIALIZED (
    SELECT r.place, ${COLUMNS},
      (SELECT i.dense FROM entry_index i WHERE i.entry_id = e.id AND i.dense IS NOT NULL) AS dense
    FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::jsonb[], $5::jsonb[], $7::int[])
      AS r(id, source_id, not_before, metadata, fields, place)
    JOIN context_entry e ON e.id = r.id AND e.source_id = r.source_id
    WHERE ${NOT_BEFORE} AND ($8 OR ${SHOWN}) AND ${MATCHES}
  )
  SELECT e.*, accesses.accesses AS "recentAccesses"
  FROM picked e LEFT JOIN ${RECENT_ACCESSES} ON accesses.entry_id = e.id
  ORDER BY e.place`;

/** An entry to read. */
export interface WantedEntry {
  readonly id: string;
  readonly sourceId: string;
  readonly notBefore: Date | null;
  readonly where: EntryWhere | undefined;
  /** What is known of it from a search. */
  readonly features?: Uint8Array;
}

/**
 * Entries by id, in the order of the ids; those that are not shown any more or do not meet their
 * conditions are left out.
 */
export async function findEntries(
  database: Queryable,
  wanted: readonly WantedEntry[],
  now: Date,
  evenHidden = false,
): Promise<StoreEntry[]> {
  if (wanted.length === 0) return [];
  const rows = await database.query<Omit<StoreRow, 'read' | 'features'>>(ENTRIES_SQL, [
    wanted.map(({ id }) => id),
    wanted.map(({ sourceId }) => sourceId),
    wanted.map(({ notBefore }) => notBefore?.toISOString() ?? null),
    ...whereValues(wanted),
    anHourBefore(now),
    wanted.map((_, place) => place),
    evenHidden,
  ]);
  const features = new Map(wanted.map((entry) => [entry.id, entry.features]));
  return rows.map((row) => toStoreEntry(row, features.get(row.id) ?? null));
}
