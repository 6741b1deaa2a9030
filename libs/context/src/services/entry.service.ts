import { type Clock, isUuid, type Principal } from '#libs/core';
import { decodeCursor, encodeCursor, type Page, type PageQuery } from '#libs/http';
import { z } from 'zod';
import type { SourceInvalidation } from '../caching/source-invalidation.js';
import { EntryNotFoundError } from '../errors/entry-not-found.error.js';
import type { ConsistencyReport } from '../port/dual-store-manager.js';
import type { NewEntry } from '../port/store-entry.js';
import type { IndexMaintenance } from '../store/index-maintenance.js';
import {
  deleteEntries,
  type EntrySelection,
  findEntryPage,
  findEntryView,
  streamEntries,
  streamExternalKeys,
} from '../store/entry-view.queries.js';
import { orderMissing, reopenOrders } from '../store/index.queries.js';
import {
  PostgresDualStoreManager,
  type PostgresStores,
} from '../store/postgres-dual-store-manager.js';
import { retentionStart } from '../store/postgres-entry-reader.js';
import type { SourceRow } from '../store/source.queries.js';
import type { BulkWriter } from './bulk-writer.js';
import type { SourceService } from './source.service.js';
import type { BulkLine, BulkOptions, BulkReport, EntryView, LargeEntryField } from './views.js';

export interface EntryPageOptions {
  /** Large fields to read as well. Default: none. */
  readonly fields?: readonly LargeEntryField[] | undefined;
  /** Default `newest` for pages, `oldest` for streams. */
  readonly sort?: 'newest' | 'oldest' | undefined;
}

export interface RepairReport {
  /** Entries whose index is written now. */
  readonly repaired: number;
  readonly failed: number;
}

const cursorSchema = z.tuple([z.number().int(), z.uuid()]);

/**
 * Entries of sources, as far as a principal may see and write them. Every method throws
 * SourceForbiddenError or SourceNotFoundError when the source is not for the principal.
 */
export class EntryService {
  constructor(
    private readonly sources: SourceService,
    private readonly stores: PostgresStores,
    private readonly bulk: BulkWriter,
    private readonly maintenance: IndexMaintenance,
    private readonly changes: SourceInvalidation,
    private readonly clock: Clock,
    private readonly options: { readonly streamBatchRows: number },
  ) {}

  /** Stores an entry. @throws EntryTooLargeError */
  async add(principal: Principal, source: string, entry: NewEntry): Promise<{ id: string }> {
    const { id } = await this.sources.resolve(principal, source, 'write');
    const stored = await this.stores.writer.insert(id, entry);
    return { id: stored.id };
  }

  /** An entry with its text and metadata. @throws EntryNotFoundError */
  async get(principal: Principal, source: string, id: string): Promise<EntryView> {
    const row = await this.sources.resolve(principal, source, 'read');
    const notBefore = retentionStart(row.retentionDays, this.clock);
    const entry = isUuid(id)
      ? await findEntryView(this.stores.database, row.id, id, notBefore)
      : undefined;
    if (entry === undefined) throw new EntryNotFoundError(id);
    return entry;
  }

  /** A page of entries by time of occurrence. */
  async page(
    principal: Principal,
    source: string,
    { limit, cursor, ...options }: PageQuery & EntryPageOptions,
  ): Promise<Page<EntryView>> {
    const row = await this.sources.resolve(principal, source, 'read');
    const after = cursor === undefined ? undefined : decodeCursor(cursor, cursorSchema);
    const selection = this.select(row, options, 'newest');
    const entries = await findEntryPage(this.stores.database, selection, after, limit + 1);
    const items = entries.slice(0, limit);
    const last = items.at(-1);
    return {
      items,
      nextCursor:
        entries.length > limit && last !== undefined
          ? encodeCursor([last.occurredAt.getTime(), last.id])
          : null,
    };
  }

  /**
   * All entries by time of occurrence, from a database cursor that is closed when `signal` aborts
   * or the reader stops. Rejects before the first entry when it is refused.
   * @throws ContextBusyError when too many streams are under way
   */
  async stream(
    principal: Principal,
    source: string,
    { signal, ...options }: EntryPageOptions & { readonly signal?: AbortSignal },
  ): Promise<AsyncIterable<EntryView>> {
    const row = await this.sources.resolve(principal, source, 'read');
    return streamEntries(this.stores.database, this.select(row, options, 'oldest'), {
      batchRows: this.options.streamBatchRows,
      signal,
    });
  }

  /** Stores many entries; the lines are checked one by one. */
  async bulkInsert(
    principal: Principal,
    source: string,
    lines: AsyncIterable<BulkLine>,
    options?: BulkOptions,
  ): Promise<BulkReport> {
    const { id } = await this.sources.resolve(principal, source, 'write');
    const report = await this.bulk.write(id, lines, options).catch(async (error: unknown) => {
      // Some batches may be stored.
      await this.changes.entries([id]);
      throw error;
    });
    const changed = report.inserted + report.updated;
    if (changed > 0) {
      this.maintenance.written(changed);
      this.stores.indexer.nudge();
      await this.changes.entries([id]);
    }
    return report;
  }

  /** Deletes the entries with an external key that is not wanted any more. Returns how many. */
  async prune(
    principal: Principal,
    source: string,
    isWanted: (externalKey: string) => boolean,
  ): Promise<number> {
    const { id } = await this.sources.resolve(principal, source, 'write');
    const batchRows = this.options.streamBatchRows;
    let deleted = 0;
    let unwanted: string[] = [];
    const flush = async (): Promise<void> => {
      if (unwanted.length > 0) deleted += await deleteEntries(this.stores.database, id, unwanted);
      unwanted = [];
    };
    try {
      for await (const entry of await streamExternalKeys(this.stores.database, id, { batchRows })) {
        if (isWanted(entry.externalKey)) continue;
        unwanted.push(entry.id);
        if (unwanted.length >= batchRows) await flush();
      }
      await flush();
    } finally {
      if (deleted > 0) await this.changes.entries([id]);
    }
    return deleted;
  }

  /** How the entries stand to their search index. */
  async consistency(
    principal: Principal,
    source: string,
    limit?: number,
  ): Promise<ConsistencyReport> {
    const row = await this.sources.resolve(principal, source, 'read');
    return this.managerOf(row).getConsistencyReport(limit);
  }

  /** Writes the search index of all entries that lack it. */
  async repair(principal: Principal, source: string): Promise<RepairReport> {
    const { id } = await this.sources.resolve(principal, source, 'manage');
    await orderMissing(this.stores.database, id);
    await reopenOrders(this.stores.database, id);
    const { written, failed } = await this.stores.indexer.indexSource(id);
    return { repaired: written, failed };
  }

  private managerOf(source: SourceRow): PostgresDualStoreManager {
    return new PostgresDualStoreManager(source.name, source, this.stores);
  }

  private select(
    source: SourceRow,
    { fields, sort }: EntryPageOptions,
    defaultSort: 'newest' | 'oldest',
  ): EntrySelection {
    return {
      sourceId: source.id,
      notBefore: retentionStart(source.retentionDays, this.clock),
      sort: sort ?? defaultSort,
      fields: [...new Set(fields ?? [])],
    };
  }
}
