import type { Clock } from '#libs/core';
import { IndexBuildFailedError } from '../errors/change.errors.js';
import { indexName } from '../selection/index-name.js';
import { type CandidateIndex, candidateClause, quoteName } from '../what-if/candidate-index.js';
import { type BuildProgress, BuildWatchdog } from './build-watchdog.js';
import type { ChangeLimits } from './change-limits.js';
import type { ChangeSession, OpenChangeSession } from './change-session.js';

export interface WatchedBuildOptions {
  /** Opens the session that the watchdog looks from. */
  readonly openSession: OpenChangeSession;
  readonly clock: Clock;
  readonly limits: ChangeLimits;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BuildProgress) => void) | undefined;
}

/** Builds an index under a watchdog. Throws `INDEX_BUILD_FAILED` when that ended the build. */
export async function buildWatched(
  session: ChangeSession,
  index: CandidateIndex,
  { openSession, clock, limits, signal, onProgress }: WatchedBuildOptions,
): Promise<void> {
  const watcher = await openSession();
  const watchdog = new BuildWatchdog({
    session: watcher,
    pid: session.pid,
    limits,
    clock,
    signal,
    onProgress,
  });
  try {
    await session.query(
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoteName(indexName(index))} ON ${candidateClause(index)}`,
    );
    // The planner knows nothing of an expression until it is analysed.
    if (index.keys.some(({ column }) => column === undefined)) {
      await session.query(`ANALYZE ${quoteName(index.schema)}.${quoteName(index.table)}`);
    }
  } catch (error) {
    const { endedBecause } = watchdog;
    if (endedBecause === undefined) throw error;
    throw new IndexBuildFailedError(endedBecause, error);
  } finally {
    await watchdog.stop();
    await watcher.close();
  }
}
