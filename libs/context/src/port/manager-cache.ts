import { type Cache, CacheHub, EvictionPolicyRegistry, MemoryStore } from '#libs/cache';
import { BackgroundTasks, type Clock, SystemClock } from '#libs/core';

/** How a manager cache is bounded. */
export interface ManagerCacheConfig {
  /**
   * Milliseconds after which the managers are fetched again. For as long again the old ones are
   * served meanwhile, so that nobody waits. Default 60,000; 0 keeps nothing.
   */
  readonly ttl: number;
  /** Most sets of sources; the one used longest ago makes room. Default 10. */
  readonly maxSize: number;
  /**
   * Whether managers that a later fetch does not give any more are closed (`cleanup`) when the last
   * compile with them has ended. Default false: they belong to whoever gives them.
   */
  readonly closeEvicted?: boolean;
}

/** What a manager cache does. */
export interface ManagerCacheMetrics {
  /** Look-ups that needed no fetch. */
  readonly hits: number;
  /** Look-ups that fetched. */
  readonly misses: number;
  /** Sets of sources that were put in. */
  readonly sets: number;
  readonly evictions: number;
  readonly currentSize: number;
}

/** What a manager cache knows of a manager. */
export interface CachedManager {
  readonly name: string;
  cleanup(): Promise<void>;
}

export const DEFAULT_MANAGER_CACHE: ManagerCacheConfig = { ttl: 60_000, maxSize: 10 };

interface Place<Manager> {
  readonly place: number;
  readonly manager: Manager;
}

/** The managers of one fetch, by name and in their order. */
class Directory<Manager extends CachedManager> {
  /** Private to the language too, so that nothing measures what managers hold. */
  readonly #byName = new Map<string, Place<Manager>[]>();
  readonly #managers: ReadonlySet<Manager>;
  /** Look-ups whose managers are in use. */
  users = 0;
  successor: Directory<Manager> | undefined;

  constructor(managers: readonly Manager[]) {
    this.#managers = new Set(managers);
    for (const [place, manager] of managers.entries()) {
      const places = this.#byName.get(manager.name);
      if (places === undefined) this.#byName.set(manager.name, [{ place, manager }]);
      else places.push({ place, manager });
    }
  }

  /** The managers of some names, in the order of the fetch. */
  select(names: Iterable<string>): Manager[] {
    const found: Place<Manager>[] = [];
    for (const name of names) found.push(...(this.#byName.get(name) ?? []));
    return found.sort((a, b) => a.place - b.place).map(({ manager }) => manager);
  }

  /** The managers that a later fetch has not given again. */
  goneIn(later: Directory<Manager>): Manager[] {
    return [...this.#managers].filter((manager) => !later.#managers.has(manager));
  }
}

interface Selection<Manager extends CachedManager> {
  readonly directory: Directory<Manager>;
  readonly managers: readonly Manager[];
}

const KEY = 'managers';
/** A year, for those who mean for ever. */
const LONGEST_TTL_MS = 365 * 86_400_000;

/**
 * Keeps store managers on the cache engine. A fetch gives all managers there are, so one answers for
 * every set of sources: it is kept as a directory, and a set that was not seen before costs a look
 * into it rather than another fetch. The managers of a set are kept as well, for the sets used last.
 *
 * Concurrent callers share one fetch, one that fails is not kept, and the order and repetition of the
 * ids make no difference.
 */
export class ManagerCache<Manager extends CachedManager> {
  private readonly directories: Cache<Directory<Manager>> | undefined;
  private readonly selections: MemoryStore<Selection<Manager>>;
  private readonly tasks = new BackgroundTasks(() => undefined);
  private readonly closeEvicted: boolean;
  private latest: Directory<Manager> | undefined;
  /** Part of the key, so that `clear` also keeps out what is being fetched. */
  private generation = 0;
  private hits = 0;
  private misses = 0;
  private sets = 0;

  /** @param fetch gives every manager there is */
  constructor(
    { ttl, maxSize, closeEvicted = false }: ManagerCacheConfig,
    private readonly fetch: () => Promise<readonly Manager[]>,
    clock: Clock = new SystemClock(),
  ) {
    this.closeEvicted = closeEvicted;
    this.selections = new MemoryStore({
      maxItems: Math.max(1, Math.floor(maxSize)),
      policy: new EvictionPolicyRegistry().get('lru'),
    });
    if (!(ttl > 0 && maxSize >= 1)) return;
    const ttlMs = Math.min(ttl, LONGEST_TTL_MS);
    const hub = new CacheHub({ clock, clockResolutionMs: 0 });
    this.directories = hub.cache<Directory<Manager>>('context-managers', {
      ttlMs,
      maxTtlMs: ttlMs,
      jitter: 0,
      revalidateMs: ttlMs,
      maxItems: 1,
    });
  }

  /** Calls `work` with the managers of the ids that there are, in the order of the fetch. */
  async use<Result>(
    ids: Iterable<string>,
    work: (managers: readonly Manager[]) => Promise<Result>,
  ): Promise<Result> {
    const { generation } = this;
    const directory = await this.directory();
    directory.users += 1;
    try {
      return await work(this.select(ids, directory, generation));
    } finally {
      directory.users -= 1;
      this.closeGone(directory);
    }
  }

  clear(): void {
    this.generation += 1;
    this.selections.clear();
  }

  metrics(): ManagerCacheMetrics {
    const { hits, misses, sets } = this;
    const { items, removed } = this.selections.stats();
    return { hits, misses, sets, evictions: removed.size, currentSize: items };
  }

  private async directory(): Promise<Directory<Manager>> {
    if (this.directories === undefined) {
      this.misses += 1;
      return this.load();
    }
    let isLoader = false;
    const found = this.directories.getOrSetEntry(`${KEY}/${this.generation}`, () => {
      isLoader = true;
      return this.load();
    });
    try {
      const { value, source } = await found;
      if (isLoader && source === 'MISS') this.misses += 1;
      else this.hits += 1;
      return value;
    } catch (error) {
      this.misses += 1;
      throw error;
    }
  }

  private async load(): Promise<Directory<Manager>> {
    const directory = new Directory(await this.fetch());
    const { latest } = this;
    this.latest = directory;
    if (latest !== undefined) {
      latest.successor = directory;
      this.closeGone(latest);
    }
    return directory;
  }

  private select(
    ids: Iterable<string>,
    directory: Directory<Manager>,
    generation: number,
  ): readonly Manager[] {
    const names = [...new Set(ids)].sort();
    const key = keyOf(names);
    const known = this.selections.get(key);
    if (known?.directory === directory) return known.managers;
    const managers = directory.select(names);
    // Cleared meanwhile, or nothing is kept.
    if (generation !== this.generation || this.directories === undefined) return managers;
    this.sets += 1;
    this.selections.set(key, { directory, managers }, { weightBytes: BYTES_PER_SELECTION });
    return managers;
  }

  private closeGone(directory: Directory<Manager>): void {
    const { successor } = directory;
    if (!this.closeEvicted || successor === undefined || directory.users > 0) return;
    for (const manager of directory.goneIn(successor)) {
      this.tasks.run(() => manager.cleanup());
    }
  }
}

/** About what a set of a few managers takes; they themselves are the owner's. */
const BYTES_PER_SELECTION = 256;

/** JSON keeps `['a,b']` and `['a', 'b']` apart. */
function keyOf(sortedIds: readonly string[]): string {
  return JSON.stringify(sortedIds);
}
