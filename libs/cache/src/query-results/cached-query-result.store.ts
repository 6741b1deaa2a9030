import { type CachedResult, QueryResultStore, type StoredQuery } from '#libs/persistence';
import type { Cache } from '../engine/cache.js';
import type { Caches } from '../managers/caches.js';

/** Keeps results of queries in a namespace of kind `database`, in every level. */
export class CachedQueryResultStore extends QueryResultStore {
  private readonly cache: Cache<CachedResult>;

  constructor(private readonly caches: Caches) {
    super();
    this.cache = caches.open<CachedResult>('database.queries', { kind: 'database', jitter: 0 });
  }

  getOrLoad(
    key: string,
    load: () => Promise<CachedResult>,
    { ttlMs, tags }: StoredQuery,
  ): Promise<CachedResult> {
    return this.cache.getOrSet(`query:${key}`, load, { ttlMs, tags });
  }

  async invalidate(tags: readonly string[]): Promise<void> {
    await this.caches.invalidateTags(tags);
  }
}
