/**
 * What the levels below the first hold for a key. All times are milliseconds since the Unix epoch
 * and travel with the entry, so that a copy in another level never lives longer than the original.
 */
export interface CacheEntry {
  readonly value: unknown;
  readonly createdMs: number;
  /** Fresh until then. */
  readonly expiresMs: number;
  /** Usable until then where a stale answer is better than none; at least `expiresMs`. */
  readonly staleUntilMs: number;
  /** What it took to load the value; decides how early it is worth loading again. */
  readonly loadMs: number;
  /** The names that invalidate it, beginning with the cache as a whole and its namespace. */
  readonly tags: readonly string[];
  /** The version that each of `tags` had before the value was loaded. */
  readonly versions: readonly number[];
}
