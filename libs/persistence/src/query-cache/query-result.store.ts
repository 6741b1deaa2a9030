/** What a statement gave; plain data that can be kept outside the process. */
export interface CachedResult {
  readonly command: string;
  readonly rowCount: number | null;
  readonly rows: readonly object[];
}

export interface StoredQuery {
  readonly ttlMs: number;
  /** `table:name` of each table that was read. */
  readonly tags: readonly string[];
}

/**
 * Where results of queries are kept. The promise: after `invalidate` has resolved, no process gets a
 * result that was read before, also not one whose reading was under way.
 */
export abstract class QueryResultStore {
  /** The result of the key, else what `load` gives; concurrent callers share one load. */
  abstract getOrLoad(
    key: string,
    load: () => Promise<CachedResult>,
    query: StoredQuery,
  ): Promise<CachedResult>;

  abstract invalidate(tags: readonly string[]): Promise<void>;
}
