/** How much of a namespace is loaded ahead. */
export interface PrefetchOptions {
  /** Default 20. */
  readonly maxPerSecond?: number;
  /** Keys that are being loaded ahead at once. Default 4. */
  readonly concurrency?: number;
  /** Least probability of a key that is loaded ahead, 0 to 1; rises by itself when too much is wasted. Default 0.4. */
  readonly minConfidence?: number;
  /** Keys that one read lets be loaded ahead, the likeliest. Default 3. */
  readonly maxAhead?: number;
  /** What is not read within this time counts as wasted. Default 60,000. */
  readonly usefulWithinMs?: number;
}

export type ResolvedPrefetchOptions = Required<PrefetchOptions>;

/** The options with their defaults. */
export function resolvePrefetchOptions(options: PrefetchOptions = {}): ResolvedPrefetchOptions {
  return {
    maxPerSecond: options.maxPerSecond ?? 20,
    concurrency: options.concurrency ?? 4,
    minConfidence: options.minConfidence ?? 0.4,
    maxAhead: options.maxAhead ?? 3,
    usefulWithinMs: options.usefulWithinMs ?? 60_000,
  };
}
