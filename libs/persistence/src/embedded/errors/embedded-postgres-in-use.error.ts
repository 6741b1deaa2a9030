import { EmbeddedPostgresError } from './embedded-postgres.error.js';

/** Thrown when another live process already runs the embedded PostgreSQL of a data folder. */
export class EmbeddedPostgresInUseError extends EmbeddedPostgresError {
  constructor(
    readonly dataDir: string,
    readonly ownerPid: number,
    ownerCommand: string,
  ) {
    super(
      'EMBEDDED_POSTGRES_IN_USE',
      `The data folder ${dataDir} is in use by process ${ownerPid} (${ownerCommand}). ` +
        'Stop that process, or set PANTHEON_DATA_DIR to another folder, ' +
        'or set DATABASE_URL to a PostgreSQL that both can share.',
      { kind: 'conflict' },
    );
  }
}
