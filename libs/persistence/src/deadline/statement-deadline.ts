import { DeadlineExceededError, isError } from '#libs/core';
import type { Done } from '../statements/statement-preparer.js';
import { type CancelKey, requestCancel } from './cancel-request.js';
import type { Deadline, DeadlineWatch } from './deadline-watch.js';

/**
 * What ends a transaction, or keeps it usable, runs also when nobody waits for it any more: it holds up
 * others until then, and whether a commit that was cut off has happened, nobody could tell.
 */
const ENDS_TRANSACTION = /^\s*(?:commit|end|rollback|abort|savepoint|release)\b/i;

/** SQLSTATE of a statement that was cancelled. */
const QUERY_CANCELED = '57014';

/** Whether a statement is bound by the deadline of its request at all. */
export function isBoundByDeadline(text: string): boolean {
  return !ENDS_TRANSACTION.test(text);
}

/** A statement that runs, which is cancelled on the server at its deadline. */
export class StatementDeadline implements Deadline {
  private cancelling: Promise<void> | undefined;

  constructor(
    readonly deadlineMs: number,
    private readonly watch: DeadlineWatch,
    private readonly connection: CancelKey,
    private readonly done: Done,
  ) {
    watch.add(this);
  }

  readonly expire = (): void => {
    this.cancelling = requestCancel(this.connection);
  };

  /** Takes the place of what it was made with. */
  readonly end: Done = (error, result) => {
    this.watch.remove(this);
    const { cancelling, done } = this;
    if (cancelling === undefined) {
      done(error, result);
      return;
    }
    void this.endAfter(cancelling, error, result);
  };

  /** A cancellation that is still on its way would hit who has the connection next. */
  private async endAfter(
    cancelling: Promise<void>,
    ...[error, result]: Parameters<Done>
  ): Promise<void> {
    await cancelling;
    const wasCancelled = isError(error) && 'code' in error && error.code === QUERY_CANCELED;
    this.done(wasCancelled ? statementStopped(error) : error, result);
  }
}

/** What the caller of a statement gets that was not begun or not finished in time. */
export function statementStopped(cause?: unknown): DeadlineExceededError {
  return new DeadlineExceededError('a statement of the database', cause);
}
