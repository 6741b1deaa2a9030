import { packedLength } from '../ranking/features.js';
import type { EntryWhere } from '../port/dual-store-manager.js';
import type { Role } from '../port/context-port.js';
import type { StoreEntry } from '../port/store-entry.js';
import type { Queryable } from './database.js';

/** What to read of one source. */
export interface SourceRead {
  readonly sourceId: string;
  readonly limit: number;
  /** Entries that happened before are past their retention. */
  readonly notBefore: Date | null;
  readonly where: EntryWhere | undefined;
}

/** A row of an entry as a store manager hands it out. */
interface StoreRow {
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
  readonly recentAccesses: number;
  readonly features: Buffer | null;
  readonly dense: Buffer | null;
}

/** An entry that may fit, with what it takes to tell how well. */
export interface Candidate {
  readonly id: string;
  readonly sourceId: string;
  readonly features: Uint8Array;
}

const HOUR_MS = 3_600_000;
const NOT_BEFORE = `(r.not_before IS NULL OR e.occurred_at >= r.not_before)`;
const SHOWN = `e.lifecycle IN ('active', 'expiring')`;

/** `$1` sources, `$2` limits, `$3` earliest times, `$4` conditions on metadata and fields. */
const READS = `unnest($1::uuid[], $2::int[], $3::timestamptz[], $4::jsonb[], $5::jsonb[])
  WITH ORDINALITY AS r(source_id, "limit", not_before, metadata, fields, read)`;

/** Conditions on metadata go through its GIN index; `fields` holds those on columns. */
const MATCHES = `e.metadata @> r.metadata
  AND (r.fields IS NULL
    OR jsonb_build_object('role', e.role, 'type', e.type, 'author', e.author) @> r.fields)`;

const COLUMNS = `e.id, e.text, e.occurred_at AS "occurredAt", e.metadata, e.role, e.type, e.author,
  e.importance, e.pinned, e.rating`;

/**
 * Accesses since $6, an hour ago. A row stands for those of one user in one second; of an entry
 * that is given more often than that the latest tell enough, since their logarithm counts.
 */
const RECENT_ACCESSES = `(SELECT coalesce(sum(a.accesses), 0)::int FROM (
   SELECT accesses FROM access_event a WHERE a.entry_id = e.id AND a.occurred_at > $6
   ORDER BY a.occurred_at DESC LIMIT 250
 ) a) AS "recentAccesses"`;

const recentsSql = (matches: string, direction: 'ASC' | 'DESC'): string => `
  SELECT r.read, e.*, i.embedding AS features, i.dense, ${RECENT_ACCESSES}
  FROM ${READS}
  CROSS JOIN LATERAL (
    SELECT ${COLUMNS} FROM context_entry e
    WHERE e.source_id = r.source_id AND ${NOT_BEFORE} AND ${SHOWN} ${matches}
    ORDER BY e.occurred_at ${direction}, e.id ${direction} LIMIT r."limit"
  ) e
  LEFT JOIN entry_index i ON i.entry_id = e.id
  ORDER BY r.read, e."occurredAt" ${direction}, e.id ${direction}`;

const RECENTS = {
  newest: { all: recentsSql('', 'DESC'), some: recentsSql(`AND ${MATCHES}`, 'DESC') },
  oldest: { all: recentsSql('', 'ASC'), some: recentsSql(`AND ${MATCHES}`, 'ASC') },
};

/** The latest (or earliest) entries of each source, in the order of the reads. */
export async function findRecents(
  database: Queryable,
  reads: readonly SourceRead[],
  now: Date,
  sort: 'newest' | 'oldest' = 'newest',
): Promise<StoreEntry[][]> {
  const found: StoreEntry[][] = reads.map(() => []);
  // Conditions need another plan: one over both kinds would use the index of neither.
  for (const [hasWhere, sql] of [
    [false, RECENTS[sort].all],
    [true, RECENTS[sort].some],
  ] as const) {
    const places = reads.flatMap(({ where }, place) => (isGiven(where) === hasWhere ? place : []));
    if (places.length === 0) continue;
    const values = readValues(places.flatMap((place) => reads[place] ?? []));
    const rows = await database.query<StoreRow>(sql, [...values, anHourBefore(now)]);
    for (const row of rows)
      found[places[Number(row.read) - 1] ?? -1]?.push(toStoreEntry(row, row.features));
  }
  return found;
}

/**
 * Ids, sources and features of all candidates, each joined to one value: a row apiece took the
 * driver twice as long. Features say themselves where they end.
 */
const candidatesSql = (from: string): string => `
  SELECT encode(string_agg(uuid_send(c.entry_id) || uuid_send(c.source_id), ''), 'base64') AS ids,
    encode(string_agg(c.embedding, ''), 'base64') AS features
  FROM unnest($2::text[], $3::int[], $4::jsonb[], $5::jsonb[])
    AS r(condition, "limit", metadata, fields)
  CROSS JOIN LATERAL (
    SELECT i.entry_id, i.source_id, i.embedding FROM ${from} LIMIT r."limit"
  ) c`;

const CANDIDATES_OF_ALL = candidatesSql(`entry_index i
  WHERE i.terms @@ r.condition::tsquery AND i.source_id = ANY($1::uuid[])`);

const CANDIDATES_OF_SOME = candidatesSql(`entry_index i
  JOIN context_entry e ON e.id = i.entry_id
  WHERE i.terms @@ r.condition::tsquery AND i.source_id = ANY($1::uuid[]) AND ${MATCHES}`);

/** A search of one or several sources. */
export interface CandidateSearch {
  readonly sourceIds: readonly string[];
  /** A `tsquery`. */
  readonly condition: string;
  readonly limit: number;
  readonly where: EntryWhere | undefined;
}

/**
 * Entries that meet the text condition of a search, any of them if there are more than its limit;
 * in no order. An entry may be found by several searches.
 */
export async function findCandidates(
  database: Queryable,
  searches: readonly CandidateSearch[],
): Promise<Candidate[]> {
  const found: Candidate[] = [];
  for (const [hasWhere, sql] of [
    [false, CANDIDATES_OF_ALL],
    [true, CANDIDATES_OF_SOME],
  ] as const) {
    const chosen = searches.filter(({ where }) => isGiven(where) === hasWhere);
    if (chosen.length === 0) continue;
    const [row] = await database.query<PackedCandidates>(sql, [
      [...new Set(chosen.flatMap(({ sourceIds }) => sourceIds))],
      chosen.map(({ condition }) => condition),
      chosen.map(({ limit }) => limit),
      ...whereValues(chosen),
    ]);
    unpack(row, found);
  }
  return found;
}

interface PackedCandidates {
  readonly ids: string | null;
  readonly features: string | null;
}

const UUID_BYTES = 16;

function unpack(row: PackedCandidates | undefined, into: Candidate[]): void {
  if (row === undefined || row.ids === null || row.features === null) return;
  const ids = Buffer.from(row.ids, 'base64');
  const features = Buffer.from(row.features, 'base64');
  let from = 0;
  for (let at = 0; at < ids.length; at += 2 * UUID_BYTES) {
    const end = from + packedLength(features, from);
    into.push({
      id: uuidAt(ids, at),
      sourceId: uuidAt(ids, at + UUID_BYTES),
      features: features.subarray(from, end),
    });
    from = end;
  }
}

function uuidAt(bytes: Buffer, at: number): string {
  const hex = bytes.toString('hex', at, at + UUID_BYTES);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Features are known from the search, or not needed. */
const ENTRIES_SQL = `
  SELECT 1 AS read, ${COLUMNS}, NULL AS features,
    (SELECT i.dense FROM entry_index i WHERE i.entry_id = e.id AND i.dense IS NOT NULL) AS dense,
    ${RECENT_ACCESSES}
  FROM unnest($1::uuid[], $2::uuid[], $3::timestamptz[], $4::jsonb[], $5::jsonb[], $7::int[])
    AS r(id, source_id, not_before, metadata, fields, place)
  JOIN context_entry e ON e.id = r.id AND e.source_id = r.source_id
  WHERE ${NOT_BEFORE} AND ($8 OR ${SHOWN}) AND ${MATCHES}
  ORDER BY r.place`;

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
  const rows = await database.query<StoreRow>(ENTRIES_SQL, [
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

/** Conditions on an entry's own fields, which are columns, and on its metadata. */
const FIELD_CONDITIONS = new Set(['role', 'type', 'author']);

function readValues(reads: readonly SourceRead[]): unknown[] {
  return [
    reads.map(({ sourceId }) => sourceId),
    reads.map(({ limit }) => limit),
    reads.map(({ notBefore }) => notBefore?.toISOString() ?? null),
    ...whereValues(reads),
  ];
}

/** Conditions on metadata, and those on fields or null. */
function whereValues(
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

function anHourBefore(now: Date): Date {
  return new Date(now.getTime() - HOUR_MS);
}

function toStoreEntry(row: StoreRow, features: Uint8Array | null): StoreEntry {
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
    recentAccesses: row.recentAccesses,
    features,
    dense: row.dense,
  };
}
