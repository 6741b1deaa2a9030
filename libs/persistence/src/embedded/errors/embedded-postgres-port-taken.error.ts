import { EmbeddedPostgresError } from './embedded-postgres.error.js';

/** Thrown when the port asked for the embedded PostgreSQL is taken by another process. */
export class EmbeddedPostgresPortTakenError extends EmbeddedPostgresError {
  constructor(
    readonly port: number,
    logTail: readonly string[],
  ) {
    super(
      'EMBEDDED_POSTGRES_PORT_TAKEN',
      `Port ${port} on 127.0.0.1 is taken, so the embedded PostgreSQL cannot listen there. ` +
        'Set PANTHEON_POSTGRES_PORT to another port, or to 0 for any free one.',
      { kind: 'conflict', logTail },
    );
  }
}
