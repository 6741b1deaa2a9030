import type { SettingsStore } from '#libs/config';
import type { AccessControl, Clock } from '#libs/core';
import type { DataSource } from 'typeorm';
import { AccessPartitions } from './access/access-partitions.js';
import { AccessRecorder } from './access/access-recorder.js';
import { contextSettings, type ContextSettings } from './context.settings.js';
import { contextWarnings } from './events.js';
import type { EmbeddingProvider } from './ranking/embedding-provider.js';
import { HttpEmbeddingProvider } from './ranking/http-embedding-provider.js';
import { BulkWriter } from './services/bulk-writer.js';
import { CompileService } from './services/compile.service.js';
import { EntryService } from './services/entry.service.js';
import { MemoryService } from './services/memory.service.js';
import { SourceService } from './services/source.service.js';
import { ContextDatabase } from './store/database.js';
import { EntryIndexer } from './store/entry-indexer.js';
import { EntryWriter } from './store/entry-writer.js';
import { IndexMaintenance } from './store/index-maintenance.js';
import type { PostgresStores } from './store/postgres-dual-store-manager.js';
import { PostgresEntryReader } from './store/postgres-entry-reader.js';
import { PostgresTermStatistics } from './store/postgres-term-statistics.js';

/** What the services of this lib stand on. */
export interface ContextDependencies {
  readonly dataSource: DataSource;
  /** With the section `contextSettings`. */
  readonly settings: SettingsStore;
  readonly clock: Clock;
  readonly access: AccessControl;
  /** Default: the service of the setting `context.embeddingUrl`, or none. */
  readonly embeddings?: EmbeddingProvider | undefined;
}

/** Everything that this lib does, ready to be used without Nest. */
export interface Context {
  readonly sources: SourceService;
  readonly entries: EntryService;
  readonly compiler: CompileService;
  readonly memories: MemoryService;
  /** The parts that managers over the same database share. */
  readonly stores: PostgresStores;
  readonly partitions: AccessPartitions;
  readonly recorder: AccessRecorder;
  readonly maintenance: IndexMaintenance;
  /** Writes what has gathered and waits for what is under way. May be called twice. */
  close(): Promise<void>;
}

/** Builds the services of this lib over a database. */
export function createContext({
  dataSource,
  settings,
  clock,
  access,
  embeddings = configuredEmbeddings(settings.get(contextSettings)),
}: ContextDependencies): Context {
  const read = (): ContextSettings => settings.get(contextSettings);
  const fixed = read();
  const database = new ContextDatabase(dataSource, fixed.longConnections);
  const indexer = new EntryIndexer(
    database,
    {
      batchRows: fixed.indexBatchRows,
      maxAttempts: fixed.indexMaxAttempts,
      leaseMs: fixed.indexLeaseMs,
    },
    embeddings,
    warn('CONTEXT_INDEX_FAILED', 'The search index could not be written; it is tried again.'),
  );
  const statistics = new PostgresTermStatistics(
    database,
    clock,
    warn('CONTEXT_STATISTICS_FAILED', 'How common terms are could not be read.'),
  );
  const stores: PostgresStores = {
    database,
    indexer,
    reader: new PostgresEntryReader(database, clock, statistics, embeddings, read),
    writer: new EntryWriter(database, indexer, clock, embeddings, {
      textMaxBytes: fixed.entryTextMaxBytes,
      consistency: fixed.consistency,
    }),
  };
  const partitions = new AccessPartitions(database);
  const recorder = new AccessRecorder(
    database,
    partitions,
    clock,
    { flushMs: fixed.accessFlushMs, bufferRows: fixed.accessBufferRows },
    warn('CONTEXT_ACCESS_LOST', 'Access events could not be written and are lost.'),
  );
  const maintenance = new IndexMaintenance(
    database,
    statistics,
    warn('CONTEXT_MAINTENANCE_FAILED', 'The search index could not be put into shape.'),
  );
  const bulk = new BulkWriter(database, stores.writer, {
    batchRows: fixed.bulkBatchRows,
    parallelBatches: fixed.bulkParallelBatches,
    maxReportedFaults: fixed.bulkMaxReportedFaults,
  });
  const sources = new SourceService(database, access);
  const compiler = new CompileService(sources, stores, recorder, clock, read);
  return {
    sources,
    entries: new EntryService(sources, stores, bulk, maintenance, clock, fixed),
    compiler,
    memories: new MemoryService(stores, recorder, access, clock, read),
    stores,
    partitions,
    recorder,
    maintenance,
    async close() {
      compiler.close();
      await Promise.all([indexer.close(), recorder.close(), maintenance.settle()]);
    },
  };
}

function configuredEmbeddings(settings: ContextSettings): EmbeddingProvider | undefined {
  const { embeddingUrl: url, embeddingToken: token, embeddingTimeoutMs: timeoutMs } = settings;
  return url === undefined ? undefined : new HttpEmbeddingProvider({ url, token, timeoutMs });
}

function warn(code: string, message: string): (error: unknown) => void {
  return (error) => contextWarnings.publish(() => ({ code, message, error }));
}
