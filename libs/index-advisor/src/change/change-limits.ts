/** How long a change may take and what it may hold up. */
export interface ChangeLimits {
  /** For a change of another process to end. */
  readonly changeLockWaitMs: number;
  /** For the lock of the table, and how long others may wait for ours. */
  readonly lockWaitMs: number;
  /** For transactions that were open when the build began; a build cannot end before them. */
  readonly maxWaitMs: number;
  readonly maxBuildMs: number;
  /** A transaction open longer than this is not waited for at all. */
  readonly maxTransactionAgeMs: number;
  /** Builds in all, when one fails for a reason that passes. */
  readonly attempts: number;
  /** Between two looks of the watchdog. */
  readonly watchEveryMs: number;
}

export const DEFAULT_CHANGE_LIMITS: ChangeLimits = {
  changeLockWaitMs: 30_000,
  lockWaitMs: 3000,
  maxWaitMs: 600_000,
  maxBuildMs: 6 * 3_600_000,
  maxTransactionAgeMs: 1_800_000,
  attempts: 3,
  watchEveryMs: 1000,
};
