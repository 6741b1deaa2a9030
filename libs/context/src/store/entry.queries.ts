import type { StoredIndex } from '../ranking/stored-index.js';
import { quoted } from '../ranking/tokenizer.js';
import type { Queryable } from './database.js';
import type { EntryRecord } from './entry-record.js';
import { sourceTag } from './source-tag.js';

/** The search index of a record, when it is written together with it. */
export interface IndexedRecord {
  readonly record: EntryRecord;
  /** Absent: the index row is left pending for the indexer. */
  readonly index?: StoredIndex & { readonly dense: Uint8Array | null };
}

export interface StoredRecord {
  readonly id: string;
  readonly externalKey: string | null;
  /** False: the external key was known, and its entry has been overwritten. */
  readonly inserted: boolean;
}

/**
 * Stores entries and their index rows in one statement, hence in one transaction and one round
 * trip. An entry whose external key is known is overwritten if its content differs, and is not
 * part of the answer if not. `xmax = 0` tells a new row from an overwritten one.
 *
 * Measured with 1,000 rows: 66 µs of server time a row with arrays, 59 with COPY, which knows no
 * ON CONFLICT; 18 of them are the full-text index, which takes 270 more without its pending list.
 */
const STORE_SQL = `
  WITH input AS (
    SELECT * FROM unnest(
      $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::real[], $8::boolean[],
      $9::real[], $10::jsonb[], $11::text[], $12::text[], $13::bytea[], $14::tsvector[],
      $15::bytea[], $16::bytea[]
    ) AS input(id, occurred_at, role, author, type, importance, pinned, rating, metadata, text,
      external_key, content_hash, terms, embedding, dense)
  ), stored AS (
    INSERT INTO context_entry (id, source_id, occurred_at, role, author, type, importance, pinned,
      rating, metadata, text, external_key, content_hash)
    SELECT id, $1, occurred_at, role, author, type, importance, pinned, rating, metadata, text,
      external_key, content_hash
    FROM input
    ON CONFLICT (source_id, external_key) WHERE external_key IS NOT NULL DO UPDATE
      SET occurred_at = excluded.occurred_at, role = excluded.role, author = excluded.author,
        type = excluded.type, importance = excluded.importance, pinned = excluded.pinned,
        rating = excluded.rating, metadata = excluded.metadata, text = excluded.text,
        content_hash = excluded.content_hash, updated_at = now(),
        lifecycle = CASE context_entry.lifecycle
          WHEN 'expired' THEN 'active' ELSE context_entry.lifecycle END
      WHERE context_entry.content_hash <> excluded.content_hash
    RETURNING id, external_key, xmax = 0 AS inserted
  ), indexed AS (
    INSERT INTO entry_index (entry_id, source_id, state, content_hash, terms, embedding, dense)
    SELECT stored.id, $1, CASE WHEN terms IS NULL THEN 'pending' ELSE 'written' END, content_hash,
      terms, embedding, dense
    FROM stored JOIN input
      ON coalesce(input.external_key, input.id::text)
       = coalesce(stored.external_key, stored.id::text)
    ON CONFLICT (entry_id) DO UPDATE
      SET state = excluded.state, content_hash = excluded.content_hash, terms = excluded.terms,
        embedding = excluded.embedding, dense = excluded.dense, attempts = 0, last_error = NULL,
        next_attempt_at = now()
  )
  SELECT id, external_key AS "externalKey", inserted FROM stored`;

/**
 * Stores entries of one source; no two may have the same external key. They are stored in the
 * order of their keys, so that concurrent writers of the same keys wait for each other in line
 * rather than in a circle.
 */
export function storeEntries(
  database: Queryable,
  sourceId: string,
  unordered: readonly IndexedRecord[],
): Promise<StoredRecord[]> {
  const records = [...unordered].sort(byExternalKey);
  const tag = quoted(sourceTag(sourceId));
  const column = <Value>(value: (record: EntryRecord) => Value): Value[] =>
    records.map(({ record }) => value(record));
  return database.query(STORE_SQL, [
    sourceId,
    column(({ id }) => id),
    column(({ occurredAt }) => occurredAt.toISOString()),
    column(({ role }) => role),
    column(({ author }) => author),
    column(({ type }) => type),
    column(({ importance }) => importance),
    column(({ pinned }) => pinned),
    column(({ rating }) => rating),
    column(({ metadata }) => metadata),
    column(({ text }) => text),
    column(({ externalKey }) => externalKey),
    column(({ contentHash }) => contentHash),
    records.map(({ record, index }) =>
      index === undefined ? null : termsValue(tag, record.facets, index.words),
    ),
    records.map(({ index }) => (index === undefined ? null : bytes(index.features))),
    records.map(({ index }) => {
      const dense = index?.dense ?? null;
      return dense === null ? null : bytes(dense);
    }),
  ]);
}

function byExternalKey({ record: a }: IndexedRecord, { record: b }: IndexedRecord): number {
  const [left, right] = [a.externalKey ?? '', b.externalKey ?? ''];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** What the full-text index keeps of an entry, as PostgreSQL reads a `tsvector`. */
export function termsValue(tag: string, facets: readonly string[], words: string): string {
  // Facets are made of letters and digits, which need no quotes.
  return [tag, ...facets, words].join(' ');
}

/** The same bytes as a Buffer, which the driver knows, without copying them. */
export function bytes(array: Uint8Array): Buffer {
  return Buffer.from(array.buffer, array.byteOffset, array.byteLength);
}

/** Which of some external keys are stored, with the digest of what is stored under them. */
export async function findContentHashes(
  database: Queryable,
  sourceId: string,
  externalKeys: readonly string[],
): Promise<Map<string, Buffer>> {
  const rows = await database.query<{ key: string; hash: Buffer }>(
    `SELECT external_key AS key, content_hash AS hash FROM context_entry
     WHERE source_id = $1 AND external_key = ANY($2)`,
    [sourceId, externalKeys],
  );
  return new Map(rows.map(({ key, hash }) => [key, hash]));
}

/** The id under which an external key is stored. */
export async function findEntryId(
  database: Queryable,
  sourceId: string,
  { id, externalKey }: EntryRecord,
): Promise<string> {
  const [row] = await database.query<{ id: string }>(
    'SELECT id FROM context_entry WHERE source_id = $1 AND external_key = $2',
    [sourceId, externalKey],
  );
  // Deleted in between, which to the caller is the same as deleted right after.
  return row?.id ?? id;
}
