import { PantheonError } from '#libs/core';

/** A saved problem of index selection that cannot be read. */
export class ProblemInvalidError extends PantheonError {
  constructor(reason: string, cause?: unknown) {
    super(
      'INDEX_ADVISOR_PROBLEM_INVALID',
      `The saved problem cannot be read: ${reason}. Save it anew with writeProblem().`,
      { kind: 'invalid', cause },
    );
  }
}
