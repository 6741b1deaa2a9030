import type { SearchQuery, SearchText } from '../ranking/search-query.js';
import type { NewEntry, StoreEntry } from './store-entry.js';

/** Conditions on an entry's fields and metadata: see `matchesWhere`. */
export type EntryWhere = Readonly<Record<string, unknown>>;

/** By time of occurrence; ties by id. */
export type EntrySort = 'newest' | 'oldest';

/** `eventual`: the index follows the entry; `strict`: a write is rejected unless both succeed. */
export type Consistency = 'eventual' | 'strict';

/** How an entry and its search index stand to each other. */
export interface EntryConsistency {
  readonly id: string;
  /** Whether the primary row exists. */
  readonly stored: boolean;
  /** `missing` when there is no index row at all. */
  readonly index: 'written' | 'pending' | 'failed' | 'missing';
  readonly consistent: boolean;
  readonly attempts: number;
  readonly lastError: string | null;
}

export interface ConsistencyReport {
  readonly total: number;
  readonly written: number;
  readonly pending: number;
  readonly failed: number;
  readonly missing: number;
  /** The first entries that are not consistent. */
  readonly inconsistent: readonly EntryConsistency[];
}

/**
 * One source in two stores: the entries, and the search index over them. A write is acknowledged
 * when the entry is committed together with the order to index it; the index follows in batches.
 */
export abstract class DualStoreManager {
  /** Name of the source; unique among the managers of a compile. */
  abstract readonly name: string;

  /**
   * Lets managers of one database be read in one query: those with the same reader are asked
   * together.
   */
  readonly batchReader: BatchReader | undefined;

  /** Stores an entry and returns its id. */
  abstract insert(entry: NewEntry): Promise<string>;

  /** Stores a text with its metadata and returns its id. */
  addEntry(text: string, metadata?: Readonly<Record<string, unknown>>): Promise<string> {
    return this.insert(metadata === undefined ? { text } : { text, metadata });
  }

  abstract get(id: string): Promise<StoreEntry | null>;

  /** The latest entries (or the earliest), at most `limit`, those that match `filter`. */
  abstract getMostRecent(
    limit?: number,
    filter?: EntryWhere,
    sort?: EntrySort,
  ): Promise<StoreEntry[]>;

  /** The entries that fit the texts best, best first, at most `limit`. */
  abstract getMostRelevant(
    texts: readonly string[],
    limit: number,
    where?: EntryWhere,
  ): Promise<StoreEntry[]>;

  abstract checkConsistency(id: string): Promise<EntryConsistency>;

  /** Writes the index of an entry again. Returns whether it is written now. */
  abstract retryVectorWrite(id: string, maxRetries?: number): Promise<boolean>;

  abstract getConsistencyReport(limit?: number): Promise<ConsistencyReport>;

  /** Waits for index writes under way and gives up what it holds. May be called twice. */
  abstract cleanup(): Promise<void>;
}

/** A question to one manager of a batch. */
export interface BatchRead {
  readonly manager: DualStoreManager;
  readonly limit: number;
  readonly where: EntryWhere | undefined;
  /** Entries that the caller has already; `relevant` leaves them out. */
  readonly known?: ReadonlySet<string> | undefined;
}

/** Reads many managers at once; the answers stand in the order of the questions. */
export interface BatchReader {
  recents(reads: readonly BatchRead[]): Promise<StoreEntry[][]>;
  /** Makes texts ready to search and rank with. */
  prepare(texts: readonly SearchText[]): Promise<SearchQuery>;
  relevant(query: SearchQuery, reads: readonly BatchRead[]): Promise<StoreEntry[][]>;
}
