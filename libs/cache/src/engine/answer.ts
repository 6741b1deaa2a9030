import type { CacheSource } from '../statistics/cache.channels.js';
import type { L1Entry } from './l1-entry.js';

/** A value with where it came from and how old it is. */
export interface Answer<Value = unknown> {
  readonly value: Value;
  readonly source: CacheSource;
  /** When it was loaded or written; milliseconds since the Unix epoch. */
  readonly createdMs: number;
  /** Until when it is fresh; not after `createdMs` for a value that was not stored. */
  readonly expiresMs: number;
}

export function answerOf(entry: L1Entry, source: CacheSource): Answer {
  return {
    value: entry.value,
    source,
    createdMs: entry.createdMs,
    expiresMs: entry.expiresMs,
  };
}
