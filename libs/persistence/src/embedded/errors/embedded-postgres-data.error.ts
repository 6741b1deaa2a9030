import { EmbeddedPostgresError } from './embedded-postgres.error.js';

const CODES = {
  foreign: 'EMBEDDED_POSTGRES_DATA_FOREIGN',
  damaged: 'EMBEDDED_POSTGRES_DATA_DAMAGED',
  version: 'EMBEDDED_POSTGRES_DATA_VERSION',
  owner: 'EMBEDDED_POSTGRES_DATA_OWNER',
  unusable: 'EMBEDDED_POSTGRES_DATA_UNUSABLE',
} as const;

/** What is wrong with a data folder. */
export type DataFolderFault = keyof typeof CODES;

/** Thrown when a data folder cannot be used as it is. It has been left as it was. */
export class EmbeddedPostgresDataError extends EmbeddedPostgresError {
  constructor(
    readonly fault: DataFolderFault,
    readonly folder: string,
    reason: string,
    details: { readonly logTail?: readonly string[]; readonly cause?: unknown } = {},
  ) {
    super(
      CODES[fault],
      `The data folder ${folder} cannot be used: ${reason}. Nothing in it was deleted. ` +
        'Set PANTHEON_DATA_DIR to another folder, or DATABASE_URL to a running PostgreSQL.',
      { kind: 'conflict', ...details },
    );
  }
}
