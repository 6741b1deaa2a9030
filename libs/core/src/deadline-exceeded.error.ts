import { PantheonError } from './pantheon.error.js';

/** The time that the caller gave is over, and what was begun for it was stopped. */
export class DeadlineExceededError extends PantheonError {
  constructor(
    /** What was stopped, such as "a statement of the database". */
    readonly work: string,
    cause?: unknown,
  ) {
    super(
      'DEADLINE_EXCEEDED',
      `The time for this request was over (X-Request-Timeout-Ms or a setting of admission); ${work} was stopped.`,
      { kind: 'timeout', cause },
    );
  }
}
