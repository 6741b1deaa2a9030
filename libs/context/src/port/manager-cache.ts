/** How a manager cache is bounded. */
export interface ManagerCacheConfig {
  /** Milliseconds that an entry lives. Default 60,000; 0 keeps nothing. */
  readonly ttl: number;
  /** Most entries; the one used longest ago makes room. Default 10. */
  readonly maxSize: number;
}

export interface ManagerCacheMetrics {
  readonly hits: number;
  readonly misses: number;
  readonly sets: number;
  readonly evictions: number;
  readonly currentSize: number;
}

interface CacheEntry<Value> {
  readonly value: Promise<Value>;
  expiresAtMs: number;
}

export const DEFAULT_MANAGER_CACHE: ManagerCacheConfig = { ttl: 60_000, maxSize: 10 };

/**
 * Keeps what was fetched for a set of ids. Concurrent callers share one fetch, a failed fetch is
 * not kept, and the order and repetition of the ids make no difference.
 */
export class ManagerCache<Value> {
  /** In the order of use. */
  private readonly entries = new Map<string, CacheEntry<Value>>();
  private hits = 0;
  private misses = 0;
  private sets = 0;
  private evictions = 0;

  constructor(
    private readonly config: ManagerCacheConfig,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  /** What is kept for the ids, or else what `fetch` gives. */
  get(ids: Iterable<string>, fetch: () => Promise<Value>): Promise<Value> {
    const key = keyOf(ids);
    const known = this.entries.get(key);
    if (known !== undefined && known.expiresAtMs > this.nowMs()) {
      this.hits += 1;
      this.entries.delete(key);
      this.entries.set(key, known);
      return known.value;
    }
    this.misses += 1;
    return this.fetch(key, fetch);
  }

  clear(): void {
    this.entries.clear();
  }

  metrics(): ManagerCacheMetrics {
    const { hits, misses, sets, evictions } = this;
    return { hits, misses, sets, evictions, currentSize: this.entries.size };
  }

  private async fetch(key: string, fetch: () => Promise<Value>): Promise<Value> {
    // An entry under way does not expire: it would be fetched twice.
    const entry: CacheEntry<Value> = { value: fetch(), expiresAtMs: Infinity };
    this.entries.delete(key);
    this.entries.set(key, entry);
    this.trim();
    try {
      const value = await entry.value;
      // Cleared or pushed out meanwhile: what was fetched may be outdated.
      if (this.entries.get(key) === entry) {
        this.sets += 1;
        entry.expiresAtMs = this.nowMs() + this.config.ttl;
      }
      return value;
    } catch (error) {
      if (this.entries.get(key) === entry) this.entries.delete(key);
      throw error;
    }
  }

  private trim(): void {
    for (const key of this.entries.keys()) {
      if (this.entries.size <= this.config.maxSize) return;
      this.entries.delete(key);
      this.evictions += 1;
    }
  }
}

/** JSON keeps `['a,b']` and `['a', 'b']` apart. */
function keyOf(ids: Iterable<string>): string {
  return JSON.stringify([...new Set(ids)].sort());
}
