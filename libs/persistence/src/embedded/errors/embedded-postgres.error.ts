import { type ErrorKind, PantheonError } from '#libs/core';

/**
 * Base of what the embedded PostgreSQL throws. `logTail` holds the last lines of the server's
 * log when it had something to say; they are part of the message.
 */
export class EmbeddedPostgresError extends PantheonError {
  readonly logTail: readonly string[];

  constructor(
    code: string,
    message: string,
    options: {
      readonly kind: ErrorKind;
      readonly logTail?: readonly string[];
      readonly cause?: unknown;
    },
  ) {
    const logTail = options.logTail ?? [];
    const quoted = logTail.map((line) => `\n  | ${line}`).join('');
    super(code, quoted === '' ? message : `${message}\n  PostgreSQL said:${quoted}`, options);
    this.logTail = logTail;
  }
}
