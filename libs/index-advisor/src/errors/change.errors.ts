import { PantheonError } from '#libs/core';

/** Somebody else changes indexes, or holds the table. Later it will do. */
export class IndexChangeBusyError extends PantheonError {
  constructor(reason: string, cause?: unknown) {
    super('INDEX_CHANGE_BUSY', `The index cannot be changed now: ${reason}. Try again later.`, {
      kind: 'conflict',
      retryAfterSeconds: 30,
      cause,
    });
  }
}

/** The change would do harm, or cannot be done at all. */
export class IndexChangeRefusedError extends PantheonError {
  constructor(readonly reasons: readonly string[]) {
    super('INDEX_CHANGE_REFUSED', `The index is not changed: ${reasons.join('; ')}.`, {
      kind: 'unprocessable',
    });
  }
}

/** The build failed or was ended; what it left is removed. */
export class IndexBuildFailedError extends PantheonError {
  constructor(reason: string, cause?: unknown) {
    super('INDEX_BUILD_FAILED', `The index was not built: ${reason}. Nothing of it is left.`, {
      kind: 'unavailable',
      cause,
    });
  }
}
