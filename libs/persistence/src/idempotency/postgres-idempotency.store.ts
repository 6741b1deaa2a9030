import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import {
  type ClaimOutcome,
  type IdempotencyClaim,
  IdempotencyStore,
  type StoredAnswer,
} from './idempotency.store.js';

interface KeyRow {
  readonly claimed: boolean;
  readonly request_hash: string;
  readonly status: number | null;
  readonly body: unknown;
}

/** A claim whose process died is free again when it was not renewed for this time. */
const ABANDONED_AFTER_SECONDS = 120;

/** Claims in one statement: insert, or take over an abandoned claim, or read who holds it. */
const CLAIM_SQL = `
  WITH claim AS (
    INSERT INTO idempotency_key (owner_id, route, key, request_hash)
    VALUES ($1, $2, $3, $4)
    ON CONFLICT (owner_id, route, key) DO UPDATE
      SET request_hash = excluded.request_hash, created_at = excluded.created_at,
          expires_at = excluded.expires_at, status = NULL, body = NULL
      WHERE idempotency_key.expires_at < now()
         OR (idempotency_key.status IS NULL
             AND idempotency_key.created_at < now() - interval '${ABANDONED_AFTER_SECONDS} seconds')
    RETURNING true AS claimed, request_hash, status, body
  )
  SELECT * FROM claim
  UNION ALL
  SELECT false, request_hash, status, body FROM idempotency_key
  WHERE owner_id = $1 AND route = $2 AND key = $3 AND NOT EXISTS (SELECT FROM claim)`;

/** Keeps claims and answers in PostgreSQL for a day, shared by all processes. */
@Injectable()
export class PostgresIdempotencyStore extends IdempotencyStore {
  constructor(private readonly dataSource: DataSource) {
    super();
  }

  async claim({ ownerId, route, key, requestHash }: IdempotencyClaim): Promise<ClaimOutcome> {
    const [row] = await this.dataSource.query<KeyRow[]>(CLAIM_SQL, [
      ownerId,
      route,
      key,
      requestHash,
    ]);
    // No row: another request inserted the key after this statement's snapshot was taken.
    if (row === undefined) return { state: 'running' };
    if (row.claimed) return { state: 'claimed' };
    if (row.request_hash !== requestHash) return { state: 'mismatch' };
    if (row.status === null) return { state: 'running' };
    return { state: 'answered', answer: { status: row.status, body: row.body } };
  }

  async renew(claim: IdempotencyClaim): Promise<void> {
    await this.dataSource.query(
      `UPDATE idempotency_key SET created_at = now()
       WHERE owner_id = $1 AND route = $2 AND key = $3 AND status IS NULL`,
      keyOf(claim),
    );
  }

  async complete(claim: IdempotencyClaim, answer: StoredAnswer): Promise<void> {
    await this.dataSource.query(
      `UPDATE idempotency_key SET status = $5, body = $6
       WHERE owner_id = $1 AND route = $2 AND key = $3 AND request_hash = $4`,
      [...keyOf(claim), claim.requestHash, answer.status, JSON.stringify(answer.body ?? null)],
    );
  }

  async release(claim: IdempotencyClaim): Promise<void> {
    await this.dataSource.query(
      `DELETE FROM idempotency_key
       WHERE owner_id = $1 AND route = $2 AND key = $3 AND status IS NULL`,
      keyOf(claim),
    );
  }
}

function keyOf({ ownerId, route, key }: IdempotencyClaim): [string, string, string] {
  return [ownerId, route, key];
}
