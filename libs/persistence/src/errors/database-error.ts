import { DeadlineExceededError, type ErrorKind, isError, PantheonError } from '#libs/core';

/** A failure of the database, told apart by what the caller can do about it. */
export class DatabaseError extends PantheonError {
  constructor(code: string, message: string, kind: ErrorKind, cause: unknown) {
    super(code, message, {
      kind,
      cause,
      ...(kind === 'unavailable' ? { retryAfterSeconds: RETRY_AFTER_SECONDS } : {}),
    });
  }
}

const RETRY_AFTER_SECONDS = 1;

/** Error codes of sockets that mean: nobody answers there. */
const CONNECTION_ERRNOS = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
]);

/** What pg says, without a code, when a connection is lost or cannot be had. */
const CONNECTION_MESSAGES =
  /^(Connection terminated|Connection ended|timeout exceeded when trying to connect|Client has encountered a connection error|Client was closed|Cannot use a pool after|Driver not Connected|the database system is)/;

/**
 * Tells what a driver's error means, or `undefined` when it is not one of the database's.
 * SQLSTATE classes are those of PostgreSQL's appendix A.
 */
export function toDatabaseError(error: unknown): PantheonError | undefined {
  if (!isError(error)) return undefined;
  const code = codeOf(error);
  if (isConnectionFailure(error, code)) {
    return new DatabaseError(
      'DATABASE_UNAVAILABLE',
      'The database cannot be reached. Nothing was lost that had been confirmed; try again.',
      'unavailable',
      error,
    );
  }
  switch (code) {
    // TypeORM puts what a statement failed with into an error of its own.
    case 'DEADLINE_EXCEEDED':
      return new DeadlineExceededError('a statement of the database', error);
    case '57014':
      return new DatabaseError(
        'DATABASE_STATEMENT_TIMEOUT',
        'The database took too long and the statement was cancelled (database.statementTimeoutMs).',
        'timeout',
        error,
      );
    case '40001':
    case '40P01':
    case '55P03':
      return new DatabaseError(
        'DATABASE_CONTENTION',
        'Another transaction was in the way; try again.',
        'unavailable',
        error,
      );
    case '53100':
    case '53200':
    case '53300':
      return new DatabaseError(
        'DATABASE_EXHAUSTED',
        'The database is out of disk, memory or connections.',
        'unavailable',
        error,
      );
    case '22021':
    case '22P05':
      return new DatabaseError(
        'TEXT_NOT_STORABLE',
        'A text holds a character that cannot be stored, such as U+0000.',
        'invalid',
        error,
      );
    case '23505':
      return new DatabaseError('CONFLICT', 'This exists already.', 'conflict', error);
    case '23503':
      return new DatabaseError(
        'REFERENCE_MISSING',
        'Something that this refers to does not exist (any more).',
        'conflict',
        error,
      );
    default:
      return undefined;
  }
}

function isConnectionFailure(error: Error, code: string | undefined): boolean {
  if ('errors' in error && Array.isArray(error.errors)) {
    return error.errors.some((inner) => toDatabaseError(inner)?.code === 'DATABASE_UNAVAILABLE');
  }
  if (code === undefined) return CONNECTION_MESSAGES.test(error.message);
  return CONNECTION_ERRNOS.has(code) || code.startsWith('08') || /^57P0[1-5]$/.test(code);
}

function codeOf(error: Error): string | undefined {
  return 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
