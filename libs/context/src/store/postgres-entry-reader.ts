import { type Clock, isUuid } from '#libs/core';
import type { BatchRead, BatchReader, EntrySort } from '../port/dual-store-manager.js';
import type { StoreEntry } from '../port/store-entry.js';
import type { EmbeddingProvider } from '../ranking/embedding-provider.js';
import { SearchQuery, type SearchText } from '../ranking/search-query.js';
import { NO_STATISTICS, type TermStatistics } from '../ranking/term-statistics.js';
import { type Candidate, findCandidates } from './candidates.queries.js';
import type { Queryable } from './database.js';
import { findEntries } from './entries-by-id.queries.js';
import { findRecents } from './recents.queries.js';
import { isGiven, type SourceRead } from './source-reads.js';
import { planSearches } from './search-plan.js';

/** A source as far as reading its entries goes. */
export interface ReadableSource {
  readonly id: string;
  readonly retentionDays: number | null;
}

/** So many times the entries asked for are compared by meaning, the best by their words. */
const MEANING_REACH = 3;

/** An entry with how well it fits. */
interface Ranked {
  readonly id: string;
  readonly relevance: number;
  readonly features: Uint8Array;
}

/** A manager whose source this reader can read. */
export interface ReadableManager {
  readonly source: ReadableSource;
}

export interface ReaderOptions {
  /** About how many entries a search ranks in process. */
  readonly candidateLimit: number;
  /** Share of the embedding service in text relevance, 0 to 1. */
  readonly embeddingWeight: number;
}

const DAY_MS = 86_400_000;
/** Some of the best may turn out to be archived or past their retention. */
const HIDDEN_SLACK = 2;

/** Reads entries of any number of sources in PostgreSQL, a query for all of them. */
export class PostgresEntryReader implements BatchReader {
  constructor(
    private readonly database: Queryable,
    private readonly clock: Clock,
    private readonly statistics: { current(): Promise<TermStatistics> },
    private readonly embeddings: EmbeddingProvider | undefined,
    private readonly options: () => ReaderOptions,
  ) {}

  async recents(reads: readonly BatchRead[], sort: EntrySort = 'newest'): Promise<StoreEntry[][]> {
    const sourceReads = reads.map((read) => this.toSourceRead(read));
    const hasConditions = sourceReads.some(({ where }) => isGiven(where));
    const statistics = hasConditions ? await this.statistics.current() : NO_STATISTICS;
    return findRecents(this.database, sourceReads, statistics, this.clock.now(), sort);
  }

  /** Entries of a source by id, archived and expired ones too; those that are not there are left out. */
  byId(sourceId: string, ids: readonly string[]): Promise<StoreEntry[]> {
    const wanted = ids.filter(isUuid).map((id) => ({
      id,
      sourceId,
      notBefore: null,
      where: undefined,
    }));
    return findEntries(this.database, wanted, this.clock.now(), true);
  }

  async prepare(texts: readonly SearchText[]): Promise<SearchQuery> {
    const [statistics, vectors] = await Promise.all([this.statistics.current(), this.embed(texts)]);
    const weight = this.options().embeddingWeight;
    return vectors === undefined || vectors.length === 0
      ? new SearchQuery(texts, statistics, undefined, vectors === undefined)
      : new SearchQuery(texts, statistics, { vectors, weight });
  }

  async relevant(query: SearchQuery, reads: readonly BatchRead[]): Promise<StoreEntry[][]> {
    const statistics = await this.statistics.current();
    const sourceReads = reads.map((read) => this.toSourceRead(read));
    const searches = planSearches(
      sourceReads,
      query.seeds,
      statistics,
      this.options().candidateLimit,
    );
    if (searches.length === 0) return reads.map(() => []);
    const ranked = rank(await findCandidates(this.database, searches), query);
    const reach = query.hasMeaning ? MEANING_REACH : 1;
    const best = sourceReads.map(({ sourceId, limit, notBefore, where }, place) =>
      (ranked.get(sourceId) ?? [])
        .filter(({ id }) => reads[place]?.known?.has(id) !== true)
        .slice(0, reach * limit + HIDDEN_SLACK)
        .map(({ id, features }) => ({ id, sourceId, notBefore, where, features })),
    );
    const entries = await findEntries(this.database, best.flat(), this.clock.now());
    const byId = new Map(entries.map((entry) => [entry.id, entry]));
    return best.map((list, place) => {
      const found = list.flatMap(({ id }) => byId.get(id) ?? []);
      if (query.hasMeaning) sortByRelevance(found, query);
      return found.slice(0, reads[place]?.limit ?? 0);
    });
  }

  /** Undefined when the service does not answer. */
  private async embed(texts: readonly SearchText[]): Promise<readonly Uint8Array[] | undefined> {
    const asked = texts.filter(({ isEcho }) => isEcho !== true).map(({ text }) => text);
    if (this.embeddings === undefined || asked.length === 0) return [];
    // The provider reports its own failures; the words alone rank as well as they can.
    return this.embeddings.embed(asked).catch(() => undefined);
  }

  private toSourceRead({ manager, limit, where }: BatchRead): SourceRead {
    const { id, retentionDays } = (manager as unknown as ReadableManager).source;
    return { sourceId: id, limit, where, notBefore: retentionStart(retentionDays, this.clock) };
  }
}

/** The time before which entries are past their retention. */
export function retentionStart(retentionDays: number | null, clock: Clock): Date | null {
  return retentionDays === null ? null : new Date(clock.nowMs() - retentionDays * DAY_MS);
}

function sortByRelevance(entries: StoreEntry[], query: SearchQuery): void {
  const relevance = new Map(
    entries.map((entry) => [
      entry,
      query.compare({ ...entry, features: entry.features ?? NO_FEATURES }).relevance,
    ]),
  );
  entries.sort((a, b) => (relevance.get(b) ?? 0) - (relevance.get(a) ?? 0));
}

const NO_FEATURES = new Uint8Array(0);

/** Candidates by source, the best first; of equals the newest. */
function rank(candidates: readonly Candidate[], query: SearchQuery): Map<string, Ranked[]> {
  const ranked = new Map<string, Ranked[]>();
  const seen = new Set<string>();
  for (const candidate of candidates) {
    const { id, sourceId, features } = candidate;
    if (seen.has(id)) continue;
    seen.add(id);
    const { relevance } = query.compare(candidate);
    const list = ranked.get(sourceId);
    if (list === undefined) ranked.set(sourceId, [{ id, relevance, features }]);
    else list.push({ id, relevance, features });
  }
  for (const list of ranked.values()) {
    list.sort((a, b) => b.relevance - a.relevance || (a.id < b.id ? 1 : -1));
  }
  return ranked;
}
