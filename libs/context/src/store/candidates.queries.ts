import type { EntryWhere } from '../port/dual-store-manager.js';
import { packedLength } from '../ranking/features.js';
import type { Queryable } from './database.js';
import { isGiven, MATCHES, whereValues } from './source-reads.js';

/** An entry that may fit, with what it takes to tell how well. */
export interface Candidate {
  readonly id: string;
  readonly sourceId: string;
  readonly features: Uint8Array;
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
