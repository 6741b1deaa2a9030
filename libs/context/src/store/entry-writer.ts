import { type Clock, isError } from '#libs/core';
import { EntryTooLargeError } from '../errors/entry-too-large.error.js';
import { SourceNotFoundError } from '../errors/source-not-found.error.js';
import type { Consistency } from '../port/dual-store-manager.js';
import type { NewEntry } from '../port/store-entry.js';
import type { EmbeddingProvider } from '../ranking/embedding-provider.js';
import type { TextIndexer } from '../ranking/text-indexer.js';
import type { Queryable } from './database.js';
import type { EntryIndexer } from './entry-indexer.js';
import {
  findContentHashes,
  findEntryId,
  type IndexedRecord,
  storeEntries,
  type StoredRecord,
} from './entry.queries.js';
import { type EntryRecord, toEntryRecord } from './entry-record.js';

export interface WriterOptions {
  readonly textMaxBytes: number;
  readonly consistency: Consistency;
}

/** What became of a batch. */
export interface WriteCounts {
  readonly inserted: number;
  readonly updated: number;
  readonly unchanged: number;
}

const FOREIGN_KEY_VIOLATION = '23503';

/** Writes entries and the orders to index them. */
export class EntryWriter {
  constructor(
    private readonly database: Queryable,
    private readonly indexer: EntryIndexer,
    private readonly clock: Clock,
    private readonly embeddings: EmbeddingProvider | undefined,
    private readonly texts: TextIndexer,
    private readonly options: WriterOptions,
    /** Told of each entry that was written alone, before its writer is. */
    private readonly onWritten: (sourceId: string) => Promise<void>,
  ) {}

  /** @throws EntryTooLargeError */
  prepare(entry: NewEntry): EntryRecord {
    const { textMaxBytes } = this.options;
    // A UTF-16 unit takes three bytes of UTF-8 at most, so most texts need no counting.
    if (entry.text.length * 3 > textMaxBytes && Buffer.byteLength(entry.text) > textMaxBytes) {
      throw new EntryTooLargeError(textMaxBytes);
    }
    return toEntryRecord(entry, this.clock.now());
  }

  /**
   * Stores one entry. With `eventual` consistency it is acknowledged with the order to index it,
   * and the index follows; with `strict` both are written, or neither.
   * @throws EntryTooLargeError, SourceNotFoundError
   */
  async insert(sourceId: string, entry: NewEntry): Promise<{ id: string; inserted: boolean }> {
    const record = this.prepare(entry);
    const isStrict = this.options.consistency === 'strict';
    const [indexed] = isStrict ? await this.index([record]) : [{ record }];
    if (indexed === undefined) throw new Error('an index for each record');
    const [stored] = await this.store(this.database, sourceId, [indexed]);
    if (stored === undefined) {
      // The external key is known and the content is the same.
      return { id: await findEntryId(this.database, sourceId, record), inserted: false };
    }
    if (!isStrict) this.indexer.nudge();
    await this.onWritten(sourceId);
    return { id: stored.id, inserted: stored.inserted };
  }

  /**
   * Stores many entries with their index, in one statement. Entries whose external key is stored
   * with the same content are left alone.
   */
  async insertMany(
    database: Queryable,
    sourceId: string,
    records: readonly EntryRecord[],
  ): Promise<WriteCounts> {
    const changed = await this.changedOf(database, sourceId, records);
    if (changed.length === 0) return { inserted: 0, updated: 0, unchanged: records.length };
    // A vector of a service is not worth the wait: it is ordered, like for single entries.
    const isIndexedNow = this.embeddings === undefined || this.options.consistency === 'strict';
    const indexed = isIndexedNow
      ? await this.index(changed)
      : changed.map((record) => ({ record }));
    const stored = await this.store(database, sourceId, indexed);
    const inserted = stored.filter((row) => row.inserted).length;
    return {
      inserted,
      updated: stored.length - inserted,
      unchanged: records.length - stored.length,
    };
  }

  private async changedOf(
    database: Queryable,
    sourceId: string,
    records: readonly EntryRecord[],
  ): Promise<readonly EntryRecord[]> {
    const keys = records.flatMap(({ externalKey }) => externalKey ?? []);
    if (keys.length === 0) return records;
    const known = await findContentHashes(database, sourceId, keys);
    return records.filter(({ externalKey, contentHash }) => {
      const stored = externalKey === null ? undefined : known.get(externalKey);
      return stored === undefined || !stored.equals(contentHash);
    });
  }

  private async index(records: readonly EntryRecord[]): Promise<IndexedRecord[]> {
    const texts = records.map(({ text }) => text);
    const [indexes, vectors] = await Promise.all([
      this.texts.index(texts),
      this.embeddings?.embed(texts),
    ]);
    return records.map((record, place) => {
      const index = indexes[place];
      return index === undefined
        ? { record }
        : { record, index: { ...index, dense: vectors?.[place] ?? null } };
    });
  }

  private async store(
    database: Queryable,
    sourceId: string,
    records: readonly IndexedRecord[],
  ): Promise<StoredRecord[]> {
    try {
      return await storeEntries(database, sourceId, records);
    } catch (error) {
      if (isForeignKeyViolation(error)) throw new SourceNotFoundError(sourceId);
      throw error;
    }
  }
}

function isForeignKeyViolation(error: unknown): boolean {
  return isError(error) && 'code' in error && error.code === FOREIGN_KEY_VIOLATION;
}
