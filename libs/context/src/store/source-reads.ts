import type { Role } from '../port/context-port.js';
import type { EntryWhere } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';

/** What to read of one source. */
export interface SourceRead {
  readonly sourceId: string;
  readonly limit: number;
  /** Entries that happened before are past their retention. */
  readonly notBefore: Date | null;
  readonly where: EntryWhere | undefined;
}

/** A row of an entry as a store manager hands it out. */
export interface StoreRow {
  /** Place of the source in the question, from 1. */
  readonly read: string;
  readonly id: string;
  readonly text: string;
  readonly occurredAt: Date;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly role: Role | null;
  readonly type: string | null;
  readonly author: string | null;
  readonly importance: number;
  readonly pinned: boolean;
  readonly rating: number | null;
  readonly recentAccesses: number | null;
  readonly features: Buffer | null;
  readonly dense: Buffer | null;
}

const HOUR_MS = 3_600_000;

/*
 * Parts of SQL over a list of reads `r` (source_id, "limit", not_before, metadata, fields) and
 * entries `e`.
 */

/** $1 to $5: what `readValues` gives. */
export const READS = `unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::jsonb[], $5::jsonb[])
  WITH ORDINALITY AS r(source_id, "limit", not_before, metadata, fields, read)`;

export const NOT_BEFORE = `(r.not_before IS NULL OR e.occurred_at >= r.not_before)`;

export const SHOWN = `e.lifecycle IN ('active', 'expiring')`;

/** The rules of `matchesWhere`. */
export const MATCHES = `e.metadata @> r.metadata
  AND (r.fields IS NULL
    OR jsonb_build_object('role', e.role, 'type', e.type, 'author', e.author) @> r.fields)`;

export const COLUMNS = `e.id, e.text, e.occurred_at AS "occurredAt", e.metadata, e.role, e.type,
  e.author, e.importance, e.pinned, e.rating`;

/**
 * Accesses since $6, an hour ago, of the entries of a query `picked`. A row stands for those of
 * one user in one second. Their number is bounded: what is given that often is ranked by the
 * logarithm, and need not be counted to the end.
 */
export const RECENT_ACCESSES = `(
  SELECT entry_id, sum(accesses)::int AS accesses FROM (
    SELECT entry_id, accesses FROM access_event
    WHERE occurred_at > $6 AND entry_id = ANY (ARRAY(SELECT id FROM picked))
    LIMIT 20000
  ) events GROUP BY entry_id
) accesses`;

/** Conditions on an entry's own fields, which are columns, and on its metadata. */
const FIELD_CONDITIONS = new Set(['role', 'type', 'author']);

/** The values of the reads, for `READS`. */
export function readValues(reads: readonly SourceRead[]): unknown[] {
  return [
    reads.map(({ sourceId }) => sourceId),
    reads.map(({ limit }) => limit),
    reads.map(({ notBefore }) => notBefore?.toISOString() ?? null),
    ...whereValues(reads),
  ];
}

/** Conditions on metadata, and those on fields or null. */
export function whereValues(
  searches: readonly { readonly where: EntryWhere | undefined }[],
): [string[], (string | null)[]] {
  const part = (where: EntryWhere | undefined, isField: boolean): string =>
    JSON.stringify(
      Object.fromEntries(
        Object.entries(where ?? {}).filter(([key]) => FIELD_CONDITIONS.has(key) === isField),
      ),
    );
  return [
    searches.map(({ where }) => part(where, false)),
    searches.map(({ where }) => part(where, true)).map((json) => (json === '{}' ? null : json)),
  ];
}

/** Whether there is any condition. */
export function isGiven(where: EntryWhere | undefined): boolean {
  return where !== undefined && Object.keys(where).length > 0;
}

/** $6 of `RECENT_ACCESSES`. */
export function anHourBefore(now: Date): Date {
  return new Date(now.getTime() - HOUR_MS);
}

/** An entry as managers hand it out; its fields are part of its metadata. */
export function toStoreEntry(
  row: Omit<StoreRow, 'read' | 'features'>,
  features: Uint8Array | null,
): StoreEntry {
  const { id, text, occurredAt, role, type, author } = row;
  return {
    id,
    text,
    occurredAt,
    metadata: {
      ...row.metadata,
      ...(role === null ? {} : { role }),
      ...(type === null ? {} : { type }),
      ...(author === null ? {} : { name: author }),
    },
    importance: row.importance,
    pinned: row.pinned,
    rating: row.rating,
    recentAccesses: row.recentAccesses ?? 0,
    features,
    dense: row.dense,
  };
}
