import { createHash } from 'node:crypto';
import { serialize } from 'node:v8';
import { CacheOptionsError } from '../errors/cache-options.error.js';
import { TtlLearner, type TtlLearnerOptions } from '../l1/ttl-learner.js';

export interface LearnedTtlOptions<Value> extends TtlLearnerOptions {
  /** What tells two values apart, such as a version. Default a digest of the whole value. */
  readonly fingerprint?: (value: Value) => string | number;
}

/**
 * A `ttlMs` that a `TtlLearner` gives: as long as each key's rates of change and reads allow while
 * the part of stale reads stays at a bound. One for each cache.
 * @throws CacheOptionsError for lives between which there is none
 */
export function learnedTtl<Value>(
  options: LearnedTtlOptions<Value> = {},
): (value: Value, key: string) => number {
  const { fingerprint = digest, ...bounds } = options;
  const { minTtlMs = 1, maxTtlMs = Number.POSITIVE_INFINITY, maxStaleRatio = 0.01 } = bounds;
  if (!(minTtlMs > 0 && maxTtlMs >= minTtlMs && maxStaleRatio > 0)) {
    throw new CacheOptionsError(
      'A learned life needs minTtlMs above 0, maxTtlMs not below it, and maxStaleRatio above 0.',
    );
  }
  const learner = new TtlLearner(bounds);
  return (value, key) => learner.loaded(key, fingerprint(value)).ttlMs;
}

function digest(value: unknown): string {
  return createHash('sha1').update(serialize(value)).digest('base64');
}
