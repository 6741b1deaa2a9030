import { PantheonError } from '#libs/core';

/** PostgreSQL cannot plan a statement, for example because a table or a function is missing. */
export class StatementRefusedError extends PantheonError {
  constructor(
    reason: string,
    /** PostgreSQL's SQLSTATE, such as `42P01`. */
    readonly sqlState: string | undefined,
    cause?: unknown,
  ) {
    super(
      'INDEX_ADVISOR_STATEMENT_REFUSED',
      `PostgreSQL cannot plan this statement: ${reason}. Check it against the schema that was read.`,
      { kind: 'unprocessable', cause },
    );
  }
}
