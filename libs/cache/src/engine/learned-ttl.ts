import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { CacheOptionsError } from '../errors/cache-options.error.js';

export interface LearnedTtlOptions<Value> {
  /** The life of a key that changes with every load. */
  readonly minMs: number;
  /** The life of a key that never changes. */
  readonly maxMs: number;
  /** What tells two values apart, such as a version. Default a digest of the whole value. */
  readonly fingerprint?: (value: Value) => string | number;
  /** Keys that are remembered, the last loaded ones. Default 10,000. */
  readonly maxKeys?: number;
}

interface Learned {
  readonly fingerprint: string | number;
  readonly ttlMs: number;
}

/** A key must stay the same for three loads to undo the shortening of one change. */
const GROWTH = 1.26;
const SHRINKAGE = 0.5;

/**
 * A `ttlMs` that learns how long the values of each key last: longer with every load that brings
 * the same value as the one before, half as long with every change.
 */
export function learnedTtl<Value>(
  options: LearnedTtlOptions<Value>,
): (value: Value, key: string) => number {
  const { minMs, maxMs, fingerprint = digest, maxKeys = 10_000 } = options;
  if (!(minMs > 0 && maxMs >= minMs)) {
    throw new CacheOptionsError('A learned life needs minMs above 0 and maxMs not below it.');
  }
  const keys = new Map<string, Learned>();
  return (value, key) => {
    const known = keys.get(key);
    const now = fingerprint(value);
    const factor = known?.fingerprint === now ? GROWTH : SHRINKAGE;
    const ttlMs = Math.min(
      maxMs,
      Math.max(minMs, known === undefined ? minMs : known.ttlMs * factor),
    );
    keys.delete(key);
    keys.set(key, { fingerprint: now, ttlMs });
    if (keys.size > maxKeys) {
      for (const oldest of keys.keys()) {
        keys.delete(oldest);
        break;
      }
    }
    return ttlMs;
  };
}

function digest(value: unknown): string {
  return createHash('sha1').update(serialize(value)).digest('base64');
}
