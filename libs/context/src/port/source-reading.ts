import { SearchQuery, type SearchText } from '../ranking/search-query.js';
import { indexText } from '../ranking/features.js';
import { localStatistics } from '../ranking/local-statistics.js';
import type { BatchRead, BatchReader, DualStoreManager, EntryWhere } from './dual-store-manager.js';
import type { StoreEntry } from './store-entry.js';

/** What one source has answered. */
export interface SourceAnswer {
  readonly entries: readonly StoreEntry[];
  /** The time of the query, which a source may have shared with others. */
  readonly durationMs: number;
}

interface Target {
  readonly manager: DualStoreManager;
  readonly where: EntryWhere | undefined;
}

interface Environment {
  readonly monotonicMs: () => number;
  readonly onSourceFailure: (source: string, error: unknown) => void;
}

const NOTHING: SourceAnswer = { entries: [], durationMs: 0 };

/**
 * Reads the sources of one compile: those that share a reader in one query, the others side by
 * side. A source that fails is empty from then on, and stands in `failures` by its place.
 */
export class SourceReading {
  readonly failures = new Map<number, unknown>();

  constructor(
    private readonly targets: readonly Target[],
    private readonly environment: Environment,
  ) {}

  /** The latest entries of each source, by its place. */
  recents(limit: number): Promise<SourceAnswer[]> {
    if (limit <= 0) return Promise.resolve(this.targets.map(() => NOTHING));
    return this.read(
      limit,
      (reader, reads) => reader.recents(reads),
      ({ manager, where }) => manager.getMostRecent(limit, where),
    );
  }

  /**
   * Makes the texts ready to search and rank with; where no reader knows how common words are,
   * some entries tell.
   */
  async prepare(
    seeds: readonly SearchText[],
    entries: readonly StoreEntry[],
  ): Promise<SearchQuery> {
    for (const [reader, places] of this.byReader()) {
      if (reader === undefined) continue;
      try {
        return await reader.prepare(seeds);
      } catch (error) {
        this.fail(places, error);
      }
    }
    const texts = entries.flatMap(({ text }) => (text === null ? [] : [indexText(text).terms]));
    return new SearchQuery(seeds, localStatistics(texts));
  }

  /** What fits the seeds in each source, by its place. */
  relevant(
    query: SearchQuery,
    seeds: readonly SearchText[],
    limit: number,
  ): Promise<SourceAnswer[]> {
    const texts = seeds.map(({ text }) => text);
    return this.read(
      limit,
      (reader, reads) => reader.relevant(query, reads),
      ({ manager, where }) => manager.getMostRelevant(texts, limit, where),
    );
  }

  private async read(
    limit: number,
    together: (reader: BatchReader, reads: readonly BatchRead[]) => Promise<StoreEntry[][]>,
    alone: (target: Target) => Promise<StoreEntry[]>,
  ): Promise<SourceAnswer[]> {
    const answers = this.targets.map(() => NOTHING);
    const startedMs = this.environment.monotonicMs();
    const keep = (place: number, entries: readonly StoreEntry[] | undefined): void => {
      answers[place] = {
        entries: (entries ?? []).slice(0, limit),
        durationMs: this.environment.monotonicMs() - startedMs,
      };
    };
    const one = async (place: number): Promise<void> => {
      const target = this.targets[place];
      if (target === undefined) return;
      try {
        keep(place, await alone(target));
      } catch (error) {
        this.fail([place], error);
      }
    };
    const many = async (reader: BatchReader, places: readonly number[]): Promise<void> => {
      const reads = places.flatMap((place) => {
        const target = this.targets[place];
        return target === undefined ? [] : { ...target, limit };
      });
      try {
        const found = await together(reader, reads);
        for (const [index, place] of places.entries()) keep(place, found[index]);
      } catch (error) {
        this.fail(places, error);
      }
    };
    await Promise.all(
      [...this.byReader()].flatMap(([reader, places]) =>
        reader === undefined ? places.map(one) : [many(reader, places)],
      ),
    );
    return answers;
  }

  /** The places of the sources that can still be read, by the reader that they share. */
  private byReader(): Map<BatchReader | undefined, number[]> {
    const groups = new Map<BatchReader | undefined, number[]>();
    for (const [place, { manager }] of this.targets.entries()) {
      if (this.failures.has(place)) continue;
      const group = groups.get(manager.batchReader);
      if (group === undefined) groups.set(manager.batchReader, [place]);
      else group.push(place);
    }
    return groups;
  }

  private fail(places: readonly number[], error: unknown): void {
    for (const place of places) {
      this.failures.set(place, error);
      this.environment.onSourceFailure(this.targets[place]?.manager.name ?? '', error);
    }
  }
}
