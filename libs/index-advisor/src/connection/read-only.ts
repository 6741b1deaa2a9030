import type { Connection } from './connection.js';

/** How long reading may take; the advisor must never hold up the database it advises. */
export interface ReadLimits {
  /** One query; default 30 s. */
  readonly statementTimeoutMs?: number;
  /** Waiting for a lock, such as that of somebody's ALTER TABLE; default 2 s. */
  readonly lockTimeoutMs?: number;
}

/**
 * Runs `read` in a read-only transaction that sees one moment of the database and gives up rather
 * than wait. The session has no transaction open when this is called, and none after it.
 */
export async function readOnly<Result>(
  connection: Connection,
  read: () => Promise<Result>,
  { statementTimeoutMs = 30_000, lockTimeoutMs = 2000 }: ReadLimits = {},
): Promise<Result> {
  await connection.query('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
  try {
    await connection.query(
      `SELECT set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true)`,
      [String(statementTimeoutMs), String(lockTimeoutMs)],
    );
    return await read();
  } finally {
    // Nothing was written, so there is nothing that a commit would keep.
    await connection.query('ROLLBACK');
  }
}
