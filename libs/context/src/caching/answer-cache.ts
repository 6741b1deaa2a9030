import type { Cache, CacheSource } from '#libs/cache';
import { tagOfSource } from './source-invalidation.js';

/** What was computed for a question. */
export interface Computed<Value> {
  readonly value: Value;
  /** Whether it is as good as it gets; only then it is kept. */
  readonly isComplete: boolean;
}

/** A value and where it came from. */
export interface Given<Value> {
  readonly value: Value;
  readonly source: CacheSource;
}

/** A source that an answer was computed from. */
export interface ReadSource {
  readonly id: string;
  readonly cacheRule: { readonly ttlMs?: number } | null;
}

/** Answers that were computed from sources, until one of them changes or their time is over. */
export class AnswerCache<Value> {
  /** @param cache undefined: nothing is kept */
  constructor(
    private readonly cache: Cache<Computed<Value>> | undefined,
    private readonly ttlMs: () => number,
  ) {}

  /**
   * The answer that is kept under the key, else a computed one. Callers at the same time share one
   * computation. The cache rules of the sources bound its life.
   */
  async get(
    key: string,
    sources: readonly ReadSource[],
    compute: () => Promise<Computed<Value>>,
  ): Promise<Given<Value>> {
    const lifeMs = Math.min(
      this.ttlMs(),
      ...sources.map(({ cacheRule }) => cacheRule?.ttlMs ?? Infinity),
    );
    if (this.cache === undefined || lifeMs <= 0 || sources.length === 0) {
      return { value: (await compute()).value, source: 'MISS' };
    }
    const { value, source } = await this.cache.getOrSetEntry(key, compute, {
      tags: sources.map(({ id }) => tagOfSource(id)),
      ttlMs: ({ isComplete }) => (isComplete ? lifeMs : 0),
    });
    return { value: value.value, source };
  }
}
