import { EmbeddedPostgresError } from './embedded-postgres.error.js';

/** Thrown when the embedded PostgreSQL does not come up for a reason that no other error names. */
export class EmbeddedPostgresStartError extends EmbeddedPostgresError {
  constructor(
    reason: string,
    details: { readonly logTail?: readonly string[]; readonly cause?: unknown } = {},
  ) {
    super(
      'EMBEDDED_POSTGRES_START_FAILED',
      `The embedded PostgreSQL did not start: ${reason}. ` +
        'Set DATABASE_URL to use a PostgreSQL of your own instead.',
      { kind: 'unavailable', ...details },
    );
  }
}
