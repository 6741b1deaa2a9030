import { isUuid } from '#libs/core';
import type { EntryConsistency } from '../port/dual-store-manager.js';
import type { Queryable } from './database.js';
import { bytes, termsValue } from './entry.queries.js';
import { facetsOf } from '../ranking/facets.js';
import type { StoredIndex } from '../ranking/stored-index.js';
import { quoted } from '../ranking/tokenizer.js';
import { sourceTag } from './source-tag.js';

/** An entry whose index is to be written. */
export interface IndexOrder {
  readonly entryId: string;
  readonly sourceId: string;
  readonly text: string;
  readonly role: string | null;
  readonly type: string | null;
  readonly author: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly contentHash: Buffer;
  /** This attempt included. */
  readonly attempts: number;
}

/** A finished index of one order. */
export interface IndexResult extends StoredIndex {
  readonly order: IndexOrder;
  readonly dense: Uint8Array | null;
}

/** Which orders to take: those that are due, or the open ones of some entries or of a source. */
export type OrderChoice =
  | { readonly kind: 'due' }
  | { readonly kind: 'entries'; readonly ids: readonly string[] }
  | { readonly kind: 'source'; readonly sourceId: string; readonly after: string };

const CHOICES = {
  due: `state = 'pending' AND next_attempt_at <= now() ORDER BY next_attempt_at`,
  entries: `state <> 'written' AND entry_id = ANY($3::uuid[]) ORDER BY entry_id`,
  source: `state <> 'written' AND source_id = $3 AND entry_id > $4 ORDER BY entry_id`,
} as const;

/**
 * Takes orders from the outbox. They stay open and become due again after the lease, so nothing
 * is lost with a process; orders that another process is taking are passed over. Time is the
 * database's, which all processes share.
 */
export function claimOrders(
  database: Queryable,
  choice: OrderChoice,
  options: { readonly limit: number; readonly leaseMs: number },
): Promise<IndexOrder[]> {
  const values: unknown[] = [options.limit, options.leaseMs];
  if (choice.kind === 'entries') values.push(choice.ids);
  if (choice.kind === 'source') values.push(choice.sourceId, choice.after);
  return database.query(
    `WITH chosen AS (
       SELECT entry_id FROM entry_index WHERE ${CHOICES[choice.kind]} LIMIT $1
       FOR UPDATE SKIP LOCKED
     ), claimed AS (
       UPDATE entry_index i
       SET state = 'pending', attempts = attempts + 1,
         next_attempt_at = now() + $2 * interval '1 millisecond'
       FROM chosen WHERE i.entry_id = chosen.entry_id
       RETURNING i.entry_id, i.source_id, i.content_hash, i.attempts
     )
     SELECT c.entry_id AS "entryId", c.source_id AS "sourceId", c.content_hash AS "contentHash",
       c.attempts, e.text, e.role, e.type, e.author, e.metadata
     FROM claimed c JOIN context_entry e ON e.id = c.entry_id ORDER BY c.entry_id`,
    values,
  );
}

/**
 * Writes the index of orders, except of those whose entry got another text meanwhile. Returns the
 * ids written. An order that is not `complete` stays open, though its words can be searched.
 */
export async function writeIndex(
  database: Queryable,
  results: readonly IndexResult[],
  complete: boolean,
): Promise<string[]> {
  if (results.length === 0) return [];
  const rows = await database.query<{ id: string }>(
    `UPDATE entry_index i
     SET state = CASE WHEN $6 THEN 'written' ELSE state END, terms = r.terms,
       embedding = r.embedding, dense = r.dense, last_error = NULL
     FROM unnest($1::uuid[], $2::bytea[], $3::tsvector[], $4::bytea[], $5::bytea[])
       AS r(id, content_hash, terms, embedding, dense)
     WHERE i.entry_id = r.id AND i.content_hash = r.content_hash
     RETURNING i.entry_id AS id`,
    [
      results.map(({ order }) => order.entryId),
      results.map(({ order }) => order.contentHash),
      results.map((result) =>
        termsValue(quoted(sourceTag(result.order.sourceId)), facetsOf(result.order), result.words),
      ),
      results.map(({ features }) => bytes(features)),
      results.map(({ dense }) => (dense === null ? null : bytes(dense))),
      complete,
    ],
  );
  return rows.map(({ id }) => id);
}

/** Puts orders off after a failure; those without attempts left count as failed. */
export async function postponeOrders(
  database: Queryable,
  orders: readonly IndexOrder[],
  options: {
    readonly error: string;
    readonly maxAttempts: number;
    readonly delayMs: number;
  },
): Promise<void> {
  await database.query(
    `UPDATE entry_index i
     SET state = CASE WHEN attempts >= $3 THEN 'failed' ELSE 'pending' END, last_error = $2,
       next_attempt_at = now() + $4 * interval '1 millisecond'
     FROM unnest($1::uuid[], $5::bytea[]) AS o(id, content_hash)
     WHERE i.entry_id = o.id AND i.content_hash = o.content_hash AND state = 'pending'`,
    [
      orders.map(({ entryId }) => entryId),
      options.error,
      options.maxAttempts,
      options.delayMs,
      orders.map(({ contentHash }) => contentHash),
    ],
  );
}

/** Makes every open order of a source, or one, due at once, with all its attempts left. */
export async function reopenOrders(
  database: Queryable,
  sourceId: string,
  entryId: string | null = null,
): Promise<void> {
  await database.query(
    `UPDATE entry_index SET state = 'pending', attempts = 0, next_attempt_at = now()
     WHERE source_id = $1 AND state <> 'written' AND ($2::uuid IS NULL OR entry_id = $2)`,
    [sourceId, entryId],
  );
}

/** Gives entries without an index row one, so that they get indexed. Returns how many. */
export async function orderMissing(
  database: Queryable,
  sourceId: string,
  entryId: string | null = null,
): Promise<number> {
  const [row] = await database.query<{ added: number }>(
    `WITH added AS (
       INSERT INTO entry_index (entry_id, source_id, state, content_hash)
       SELECT e.id, e.source_id, 'pending', e.content_hash FROM context_entry e
       WHERE e.source_id = $1 AND ($2::uuid IS NULL OR e.id = $2)
         AND NOT EXISTS (SELECT FROM entry_index i WHERE i.entry_id = e.id)
       ON CONFLICT DO NOTHING RETURNING 1
     ) SELECT count(*)::int AS added FROM added`,
    [sourceId, entryId],
  );
  return row?.added ?? 0;
}

/** How an entry of a source stands to its index row. */
export async function findConsistency(
  database: Queryable,
  sourceId: string,
  id: string,
): Promise<EntryConsistency> {
  const [row] = !isUuid(id)
    ? []
    : await database.query<ConsistencyRow>(
        `SELECT e.id, coalesce(i.state, 'missing') AS index, coalesce(i.attempts, 0) AS attempts,
       i.last_error AS "lastError"
     FROM context_entry e LEFT JOIN entry_index i ON i.entry_id = e.id
     WHERE e.id = $1 AND e.source_id = $2`,
        [id, sourceId],
      );
  if (row !== undefined) return toConsistency(row);
  return {
    id,
    stored: false,
    index: 'missing',
    consistent: false,
    attempts: 0,
    lastError: null,
  };
}

interface ConsistencyRow {
  readonly id: string;
  readonly index: EntryConsistency['index'];
  readonly attempts: number;
  readonly lastError: string | null;
}

function toConsistency(row: ConsistencyRow): EntryConsistency {
  return { ...row, stored: true, consistent: row.index === 'written' };
}

/** The first entries of a source whose index is not written. */
export async function listInconsistent(
  database: Queryable,
  sourceId: string,
  limit: number,
): Promise<EntryConsistency[]> {
  const rows = await database.query<ConsistencyRow>(
    `SELECT e.id, coalesce(i.state, 'missing') AS index, coalesce(i.attempts, 0) AS attempts,
       i.last_error AS "lastError"
     FROM context_entry e LEFT JOIN entry_index i ON i.entry_id = e.id
     WHERE e.source_id = $1 AND (i.state IS NULL OR i.state <> 'written')
     ORDER BY e.id LIMIT $2`,
    [sourceId, limit],
  );
  return rows.map(toConsistency);
}

/** Entries of a source by the state of their index. */
export async function countStates(
  database: Queryable,
  sourceId: string,
): Promise<Record<EntryConsistency['index'], number>> {
  const rows = await database.query<{ index: EntryConsistency['index']; entries: number }>(
    `SELECT coalesce(i.state, 'missing') AS index, count(*)::int AS entries
     FROM context_entry e LEFT JOIN entry_index i ON i.entry_id = e.id
     WHERE e.source_id = $1 GROUP BY 1`,
    [sourceId],
  );
  const counts = { written: 0, pending: 0, failed: 0, missing: 0 };
  for (const { index, entries } of rows) counts[index] = entries;
  return counts;
}
