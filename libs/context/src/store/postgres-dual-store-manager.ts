import { isUuid } from '#libs/core';
import {
  type ConsistencyReport,
  DualStoreManager,
  type EntryConsistency,
  type EntrySort,
  type EntryWhere,
} from '../port/dual-store-manager.js';
import type { NewEntry, StoreEntry } from '../port/store-entry.js';
import type { ContextDatabase } from './database.js';
import type { EntryIndexer } from './entry-indexer.js';
import type { EntryWriter } from './entry-writer.js';
import {
  countStates,
  findConsistency,
  listInconsistent,
  orderMissing,
  reopenOrders,
} from './index.queries.js';
import type { PostgresEntryReader, ReadableSource } from './postgres-entry-reader.js';

/** What the managers of one database share. */
export interface PostgresStores {
  readonly database: ContextDatabase;
  readonly reader: PostgresEntryReader;
  readonly writer: EntryWriter;
  readonly indexer: EntryIndexer;
}

const DEFAULT_RECENTS = 10;
const DEFAULT_RETRIES = 3;
const DEFAULT_REPORTED = 100;

/** A source in PostgreSQL: entries in one table, their search index in another. */
export class PostgresDualStoreManager extends DualStoreManager {
  override readonly batchReader: PostgresEntryReader;

  constructor(
    readonly name: string,
    readonly source: ReadableSource,
    private readonly stores: PostgresStores,
  ) {
    super();
    this.batchReader = stores.reader;
  }

  async insert(entry: NewEntry): Promise<string> {
    const { id } = await this.stores.writer.insert(this.source.id, entry);
    return id;
  }

  async get(id: string): Promise<StoreEntry | null> {
    const [entry] = await this.batchReader.byId(this.source.id, [id]);
    return entry ?? null;
  }

  async getMostRecent(
    limit = DEFAULT_RECENTS,
    filter?: EntryWhere,
    sort: EntrySort = 'newest',
  ): Promise<StoreEntry[]> {
    const [entries] = await this.batchReader.recents(
      [{ manager: this, limit, where: filter }],
      sort,
    );
    return entries ?? [];
  }

  async getMostRelevant(
    texts: readonly string[],
    limit: number,
    where?: EntryWhere,
  ): Promise<StoreEntry[]> {
    const query = await this.batchReader.prepare(texts.map((text) => ({ text, weight: 1 })));
    const [entries] = await this.batchReader.relevant(query, [{ manager: this, limit, where }]);
    return entries ?? [];
  }

  checkConsistency(id: string): Promise<EntryConsistency> {
    return findConsistency(this.stores.database, this.source.id, id);
  }

  async retryVectorWrite(id: string, maxRetries = DEFAULT_RETRIES): Promise<boolean> {
    const { database, indexer } = this.stores;
    if (!isUuid(id)) return false;
    await orderMissing(database, this.source.id, id);
    for (let attempt = 0; attempt < maxRetries; attempt += 1) {
      await reopenOrders(database, this.source.id, id);
      await indexer.indexEntries([id]);
      const { index } = await this.checkConsistency(id);
      if (index === 'written') return true;
      if (index === 'missing') return false;
    }
    return false;
  }

  async getConsistencyReport(limit = DEFAULT_REPORTED): Promise<ConsistencyReport> {
    const { database } = this.stores;
    const counts = await countStates(database, this.source.id);
    const isWhole = counts.pending + counts.failed + counts.missing === 0;
    return {
      total: counts.written + counts.pending + counts.failed + counts.missing,
      ...counts,
      inconsistent: isWhole ? [] : await listInconsistent(database, this.source.id, limit),
    };
  }

  /** The pool, the indexer and the reader belong to the application, which closes them. */
  async cleanup(): Promise<void> {
    await this.stores.indexer.settle();
  }
}
