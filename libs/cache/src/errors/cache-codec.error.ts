import { PantheonError } from '#libs/core';

/** A value cannot be written by the serialiser of a level; it stays in memory only. */
export class CacheEncodeError extends PantheonError {
  constructor(
    readonly key: string,
    reason: string,
    cause: unknown,
  ) {
    super('CACHE_ENCODE_FAILED', `The value of "${key}" cannot be written: ${reason}.`, {
      kind: 'internal',
      cause,
    });
  }
}

/** Bytes in a level are not an entry that can be read; they count as a miss. */
export class CacheDecodeError extends PantheonError {
  constructor(
    readonly key: string,
    reason: string,
    cause: unknown,
  ) {
    super('CACHE_DECODE_FAILED', `The stored entry of "${key}" cannot be read: ${reason}.`, {
      kind: 'internal',
      cause,
    });
  }
}
