import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';

/** What is counted of one key. */
export interface FailureWindow {
  readonly key: string;
  /** In the window so far. */
  readonly failures: number;
  /** Attempts under way, this one included. */
  readonly pending: number;
  readonly resetsAt: Date;
}

/** The SQL of counted failures; each method is one statement. */
@Injectable()
export class FailureStore {
  constructor(private readonly dataSource: DataSource) {}

  /** Counts an attempt that begins for each key; opens windows where none is open. */
  reserve(keys: readonly string[], now: Date, windowSeconds: number): Promise<FailureWindow[]> {
    // In the order of keys, so that two attempts never wait for each other's rows.
    return this.dataSource.query<FailureWindow[]>(
      `INSERT INTO auth_failure AS counted (key, failures, pending, resets_at)
       SELECT key, 0, 1, $2::timestamptz + make_interval(secs => $3)
       FROM unnest($1::text[]) AS key ORDER BY key
       ON CONFLICT (key) DO UPDATE SET
         failures = CASE WHEN counted.resets_at <= $2 THEN 0 ELSE counted.failures END,
         pending = CASE WHEN counted.resets_at <= $2 THEN 1 ELSE counted.pending + 1 END,
         resets_at = CASE WHEN counted.resets_at <= $2 THEN excluded.resets_at
           ELSE counted.resets_at END
       RETURNING key, failures, pending, resets_at AS "resetsAt"`,
      [keys, now, windowSeconds],
    );
  }

  /** Counts an attempt that has ended: as a failure or not. `forgiven` keys lose their failures. */
  async settle(
    keys: readonly string[],
    failures: 0 | 1,
    forgiven: readonly string[],
  ): Promise<void> {
    await this.dataSource.query(
      `WITH held AS (
         SELECT key FROM auth_failure WHERE key = ANY($1) ORDER BY key FOR UPDATE
       ), emptied AS (
         DELETE FROM auth_failure counted USING held
         WHERE counted.key = held.key AND pending <= 1
           AND (counted.key = ANY($3) OR failures + $2::integer = 0)
       )
       UPDATE auth_failure counted SET pending = greatest(pending - 1, 0),
         failures = CASE WHEN counted.key = ANY($3) THEN 0 ELSE failures + $2::integer END
       FROM held
       WHERE counted.key = held.key
         AND NOT (pending <= 1 AND (counted.key = ANY($3) OR failures + $2::integer = 0))`,
      [keys, failures, forgiven],
    );
  }
}
