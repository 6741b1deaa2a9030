import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from '#libs/core';
import { IndexChangeBusyError } from '../errors/change.errors.js';
import type { ChangeLimits } from './change-limits.js';
import type { ChangeSession, OpenChangeSession } from './change-session.js';

/** One change at a time in a database, from whichever process. */
const CHANGE_LOCK = `hashtextextended('pantheon.index-advisor.change', 0)`;
const POLL_MS = 200;

export interface ChangeLockOptions {
  readonly openSession: OpenChangeSession;
  readonly clock: Clock;
  readonly limits: Pick<ChangeLimits, 'changeLockWaitMs'>;
}

/**
 * Works in a session of its own while no other process changes indexes of the database.
 * Throws `INDEX_CHANGE_BUSY` when another one does not end in time.
 */
export async function withChangeLock<Result>(
  options: ChangeLockOptions,
  work: (session: ChangeSession) => Promise<Result>,
): Promise<Result> {
  const session = await options.openSession();
  try {
    await session.query(`SELECT set_config('statement_timeout', '0', false),
      set_config('lock_timeout', '0', false)
      ${await checksItsClient(session)}`);
    await takeLock(session, options);
    // The lock ends with the session.
    return await work(session);
  } finally {
    await session.close();
  }
}

async function takeLock(
  session: ChangeSession,
  { clock, limits }: ChangeLockOptions,
): Promise<void> {
  const untilMs = clock.monotonicMs() + limits.changeLockWaitMs;
  for (;;) {
    const [row] = await session.query<{ taken: boolean }>(
      `SELECT pg_try_advisory_lock(${CHANGE_LOCK}) AS taken`,
    );
    if (row?.taken === true) return;
    if (clock.monotonicMs() >= untilMs) {
      throw new IndexChangeBusyError('another index of this database is being changed');
    }
    await sleep(POLL_MS);
  }
}

/**
 * Lets the server end the build when its client is gone: a build without a watchdog could hold
 * others up. Known from PostgreSQL 14, and not on every system.
 */
async function checksItsClient(session: ChangeSession): Promise<string> {
  const [row] = await session.query<{ settable: boolean }>(
    `SELECT EXISTS (SELECT FROM pg_settings WHERE name = 'client_connection_check_interval'
       AND max_val <> '0') AND version() LIKE '%linux%' AS settable`,
  );
  return row?.settable === true
    ? `, set_config('client_connection_check_interval', '1s', false)`
    : '';
}
