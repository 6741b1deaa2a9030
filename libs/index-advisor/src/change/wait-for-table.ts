import { IndexChangeBusyError } from '../errors/change.errors.js';
import { type CandidateIndex, quoteName } from '../what-if/candidate-index.js';
import type { ChangeLimits } from './change-limits.js';
import type { ChangeSession } from './change-session.js';
import { isPassing, pauseAfter } from './passing-errors.js';

/**
 * Waits for the lock that a build takes first, for a short time and again: who waits long for it
 * makes others queue up. The build itself must not have a lock timeout (see BuildWatchdog).
 * Throws `INDEX_CHANGE_BUSY`.
 */
export async function waitForTable(
  session: ChangeSession,
  index: CandidateIndex,
  limits: Pick<ChangeLimits, 'lockWaitMs' | 'attempts'>,
): Promise<void> {
  const table = `${quoteName(index.schema)}.${quoteName(index.table)}`;
  for (let attempt = 1; ; attempt += 1) {
    try {
      await session.query('BEGIN');
      await session.query(`SET LOCAL lock_timeout = ${limits.lockWaitMs}`);
      await session.query(`LOCK TABLE ${table} IN SHARE UPDATE EXCLUSIVE MODE`);
      await session.query('COMMIT');
      return;
    } catch (error) {
      await session.query('ROLLBACK');
      if (!isPassing(error)) throw error;
      if (attempt >= limits.attempts) {
        throw new IndexChangeBusyError(`somebody holds the table ${index.table}`, error);
      }
      await pauseAfter(attempt);
    }
  }
}
