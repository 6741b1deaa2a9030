import type { Cache } from '#libs/cache';
import type { Clock } from '#libs/core';
import { tagOfSource } from '../caching/source-invalidation.js';
import type { StoreEntry } from '../port/store-entry.js';
import { retentionStart } from '../store/postgres-entry-reader.js';
import {
  PostgresDualStoreManager,
  type PostgresStores,
} from '../store/postgres-dual-store-manager.js';
import type { SourceRow } from '../store/source.queries.js';
import {
  DEFAULT_PRELOAD_CONFIG,
  PRELOAD_CATEGORIES,
  type PreloadCategory,
  type PreloadConfig,
  rowsOf,
} from './preload.config.js';
import { chooseEntries, forEachCategory, readEntries } from './preload.queries.js';

/** One category of a user's memories as it is kept. */
export interface PreloadedPart {
  readonly entries: readonly StoreEntry[];
  readonly loadedAtMs: number;
  readonly ttlMs: number;
  /** Whether the parts together hold every memory of the user. */
  readonly isWhole: boolean;
}

/** How often kept parts were read, and how often they were not there. */
export interface PreloadUse {
  readonly hits: number;
  readonly misses: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** The latest memories stand for what is going on. */
const SEEDS = 3;

/**
 * The memories of a user that are worth having at hand: the recent, the frequent, the important, and
 * those that fit the latest ones, each memory once. Preloading puts them into the cache, a part each;
 * what is not there is read from the database. Both give the same memories.
 */
export class MemoryPreloader {
  private readonly used = forEachCategory(() => ({ hits: 0, misses: 0 }));
  private readonly rows = forEachCategory(() => 0);

  /** @param cache undefined: nothing is kept */
  constructor(
    private readonly stores: PostgresStores,
    private readonly cache: Cache<PreloadedPart> | undefined,
    private readonly clock: Clock,
  ) {}

  /**
   * What is at hand of the memories of a source, and the rest of it from the database; at least as
   * many as asked for, when there are.
   */
  async workingSet(source: SourceRow, atLeast: number): Promise<StoreEntry[]> {
    const kept =
      (await this.cache?.getMany(PRELOAD_CATEGORIES.map((part) => keyOf(source, part)))) ??
      new Map<string, PreloadedPart>();
    const missing = PRELOAD_CATEGORIES.filter((category) => {
      const isKept = kept.has(keyOf(source, category));
      this.used[category][isKept ? 'hits' : 'misses'] += 1;
      return !isKept;
    });
    const entries = [...kept.values()].flatMap((part) => this.faded(part));
    // What fits the latest memories is a bonus that only preloading has the time for.
    const isAtHand = missing.every((category) => category === 'context');
    const isEnough = entries.length >= atLeast || [...kept.values()].some(({ isWhole }) => isWhole);
    if (isAtHand && isEnough) return entries;
    const { parts } = await this.load(source, DEFAULT_PRELOAD_CONFIG, false);
    return [...entries, ...PRELOAD_CATEGORIES.flatMap((category) => parts[category])];
  }

  /** Reads a user's memories anew and keeps them. Returns how many of each category. */
  async preload(
    source: SourceRow,
    config: PreloadConfig,
  ): Promise<Record<PreloadCategory, number>> {
    const keys = PRELOAD_CATEGORIES.map((category) => keyOf(source, category));
    const load = async (): Promise<Map<string, PreloadedPart>> => {
      const { parts, isWhole } = await this.load(source, config, true);
      const loadedAtMs = this.clock.nowMs();
      return new Map(
        PRELOAD_CATEGORIES.map((category) => [
          keyOf(source, category),
          {
            entries: parts[category],
            isWhole,
            loadedAtMs,
            ttlMs: config.ttlMinutes[category] * MINUTE_MS,
          },
        ]),
      );
    };
    await this.cache?.deleteMany(keys);
    // One load for all parts, begun after their versions are noted, so that a memory that changes
    // meanwhile keeps them from being stored.
    const parts =
      (await this.cache?.getOrSetMany(keys, load, {
        tags: [tagOfSource(source.id)],
        ttlMs: ({ ttlMs }) => ttlMs,
      })) ?? (await load());
    return forEachCategory((category) => {
      const rows = parts.get(keyOf(source, category))?.entries.length ?? 0;
      this.rows[category] += rows;
      return rows;
    });
  }

  /** Which parts are kept at present, in whatever level, and until when. */
  async kept(source: SourceRow): Promise<Record<PreloadCategory, Date | null>> {
    const answers = await Promise.all(
      PRELOAD_CATEGORIES.map(async (category) => this.cache?.getEntry(keyOf(source, category))),
    );
    return forEachCategory((category) => {
      const answer = answers[PRELOAD_CATEGORIES.indexOf(category)];
      return answer === undefined ? null : new Date(answer.expiresMs);
    });
  }

  /** Reads of parts in this process. */
  use(): Readonly<Record<PreloadCategory, PreloadUse>> {
    return this.used;
  }

  /** Memories that this process has preloaded. */
  loaded(): Readonly<Record<PreloadCategory, number>> {
    return this.rows;
  }

  private async load(
    source: SourceRow,
    config: PreloadConfig,
    withContext: boolean,
  ): Promise<{
    readonly parts: Record<PreloadCategory, readonly StoreEntry[]>;
    readonly isWhole: boolean;
  }> {
    const { database } = this.stores;
    const wanted = rowsOf(config);
    const notBefore = retentionStart(source.retentionDays, this.clock);
    const candidates = await chooseEntries(database, source.id, notBefore, config.maxRows);
    const taken = new Map<string, PreloadCategory>();
    const take = (category: PreloadCategory, ids: readonly string[], most: number): void => {
      const free = ids.filter((id) => !taken.has(id));
      for (const id of free.slice(0, Math.max(0, most))) taken.set(id, category);
    };
    take('recent', candidates.recent, wanted.recent);
    take('frequent', candidates.frequent, wanted.frequent);
    take('important', candidates.important, wanted.important);
    // Shares that find nothing of their own go to the recent ones.
    take('recent', candidates.recent, config.maxRows - wanted.context - taken.size);
    const entries = await readEntries(database, [...taken.keys()], this.clock.now());
    const isWhole = candidates.recent.length < config.maxRows;
    const parts = forEachCategory((category) =>
      entries.filter(({ id }) => taken.get(id) === category),
    );
    if (!withContext || wanted.context === 0) return { parts, isWhole };
    const context = await this.fitting(source, entries, wanted.context);
    return { parts: { ...parts, context }, isWhole };
  }

  /** What fits the latest of the entries, beside them. */
  private async fitting(
    source: SourceRow,
    entries: readonly StoreEntry[],
    limit: number,
  ): Promise<readonly StoreEntry[]> {
    const { reader } = this.stores;
    const seeds = [...entries]
      .sort((a, b) => b.occurredAt.getTime() - a.occurredAt.getTime())
      .flatMap(({ text }) => (text === null || text.trim() === '' ? [] : [text]))
      .slice(0, SEEDS);
    if (seeds.length === 0) return [];
    const query = await reader.prepare(seeds.map((text) => ({ text, weight: 1, isEcho: true })));
    const manager = new PostgresDualStoreManager(source.name, source, this.stores);
    const known = new Set(entries.map(({ id }) => id));
    const [found = []] = await reader.relevant(query, [
      { manager, limit, where: undefined, known },
    ]);
    return found;
  }

  /** Accesses of the last hour that were counted a while ago: what is left of them by now, about. */
  private faded({ entries, loadedAtMs }: PreloadedPart): StoreEntry[] {
    const left = Math.max(0, 1 - (this.clock.nowMs() - loadedAtMs) / HOUR_MS);
    return entries.map((entry) => ({
      ...entry,
      recentAccesses: (entry.recentAccesses ?? 0) * left,
    }));
  }
}

/** Parts belong to a source as it is configured at present. */
function keyOf({ id, updatedAt }: SourceRow, category: PreloadCategory): string {
  return `${id}/${updatedAt.getTime()}/${category}`;
}
