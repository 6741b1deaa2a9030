import { describe, expect, it } from '@jest/globals';
import { toDatabaseError } from './database-error.js';

function failure(code: string | undefined, message = 'failed'): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe('toDatabaseError', () => {
  it.each([
    ['ECONNREFUSED', 'DATABASE_UNAVAILABLE', 'unavailable'],
    ['08006', 'DATABASE_UNAVAILABLE', 'unavailable'],
    ['57P01', 'DATABASE_UNAVAILABLE', 'unavailable'],
    ['57P03', 'DATABASE_UNAVAILABLE', 'unavailable'],
    ['57014', 'DATABASE_STATEMENT_TIMEOUT', 'timeout'],
    ['40P01', 'DATABASE_CONTENTION', 'unavailable'],
    ['53300', 'DATABASE_EXHAUSTED', 'unavailable'],
    ['22021', 'TEXT_NOT_STORABLE', 'invalid'],
    ['23505', 'CONFLICT', 'conflict'],
    ['23503', 'REFERENCE_MISSING', 'conflict'],
  ])('tells what %s means: %s', (sqlState, code, kind) => {
    expect(toDatabaseError(failure(sqlState))).toMatchObject({ code, kind });
  });

  it.each([
    'Connection terminated unexpectedly',
    'timeout exceeded when trying to connect',
    'Connection terminated due to connection timeout',
  ])('knows a lost connection that has no code: %s', (message) => {
    expect(toDatabaseError(failure(undefined, message))?.code).toBe('DATABASE_UNAVAILABLE');
  });

  it('looks into the failures of several addresses', () => {
    const error = new AggregateError([failure('ECONNREFUSED'), failure('ECONNREFUSED')]);
    expect(toDatabaseError(error)?.code).toBe('DATABASE_UNAVAILABLE');
  });

  it('says when to come back where that helps, and keeps the cause', () => {
    const cause = failure('ECONNREFUSED');
    expect(toDatabaseError(cause)).toMatchObject({ retryAfterSeconds: 1, cause });
    expect(toDatabaseError(failure('23505'))?.retryAfterSeconds).toBeUndefined();
  });

  it.each([failure('42703'), failure(undefined), 'text', undefined])(
    'leaves alone what is a mistake of ours or not of the database: %s',
    (error) => {
      expect(toDatabaseError(error)).toBeUndefined();
    },
  );
});
