import { type Cache, type Caches, CacheHub, EvictionPolicyRegistry } from '#libs/cache';
import type { SettingsStore } from '#libs/config';
import type { AccessControl, Clock } from '#libs/core';
import { type CpuWorkers, OutboundHttp, Policies } from '#libs/resilience';
import type { DataSource } from 'typeorm';
import { AccessPartitions } from './access/access-partitions.js';
import { AccessRecorder } from './access/access-recorder.js';
import { AnswerCache, type Computed } from './caching/answer-cache.js';
import { type NamedSources, SourceCache } from './caching/source-cache.js';
import { SourceInvalidation } from './caching/source-invalidation.js';
import { contextSettings, type ContextSettings } from './context.settings.js';
import { contextWarnings } from './events.js';
import { MemoryPreloader, type PreloadedPart } from './preload/memory-preloader.js';
import type { EmbeddingProvider } from './ranking/embedding-provider.js';
import { HttpEmbeddingProvider } from './ranking/http-embedding-provider.js';
import { TextIndexer } from './ranking/text-indexer.js';
import { BulkWriter } from './services/bulk-writer.js';
import { CompileService } from './services/compile.service.js';
import type { CompiledContext } from './services/compile.types.js';
import { EntryService } from './services/entry.service.js';
import { MemoryService, type MemoryView } from './services/memory.service.js';
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
  /**
   * The caches that this process shares with the others over the same database. Without them the
   * sources of a compile are kept in this process alone, answers are not, and nobody is told of
   * changes: only right where no other process caches.
   */
  readonly caches?: Caches | undefined;
  /** Calls other services. Default: under policies that nobody else sees. */
  readonly outbound?: OutboundHttp | undefined;
  /** Threads for CPU work. Without them it is done here, in turns. */
  readonly workers?: Pick<CpuWorkers, 'run'> | undefined;
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
  readonly changes: SourceInvalidation;
  readonly sourceCache: SourceCache;
  readonly preloader: MemoryPreloader;
  /** Writes what has gathered and waits for what is under way. May be called twice. */
  close(): Promise<void>;
}

/** Builds the services of this lib over a database. */
export function createContext({
  dataSource,
  settings,
  clock,
  access,
  outbound = new OutboundHttp(new Policies(settings, clock)),
  embeddings = configuredEmbeddings(settings.get(contextSettings), outbound),
  caches,
  workers,
}: ContextDependencies): Context {
  const read = (): ContextSettings => settings.get(contextSettings);
  const fixed = read();
  const database = new ContextDatabase(dataSource, fixed.longConnections);
  const sourceCache = new SourceCache(database, openSourceCache(caches, clock, fixed), () =>
    clock.monotonicMs(),
  );
  const changes = new SourceInvalidation(caches, sourceCache, clock);
  const texts = new TextIndexer(workers);
  const indexer = new EntryIndexer(
    database,
    {
      batchRows: fixed.indexBatchRows,
      maxAttempts: fixed.indexMaxAttempts,
      leaseMs: fixed.indexLeaseMs,
    },
    embeddings,
    texts,
    (sourceIds) => changes.entries(sourceIds),
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
    writer: new EntryWriter(
      database,
      indexer,
      clock,
      embeddings,
      texts,
      { textMaxBytes: fixed.entryTextMaxBytes, consistency: fixed.consistency },
      (sourceId) => changes.entries([sourceId]),
    ),
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
  const bulk = new BulkWriter(
    database,
    stores.writer,
    {
      batchRows: fixed.bulkBatchRows,
      parallelBatches: fixed.bulkParallelBatches,
      maxReportedFaults: fixed.bulkMaxReportedFaults,
    },
    (sourceId) => changes.entriesSoon(sourceId),
  );
  const sources = new SourceService(database, access, sourceCache, changes);
  const compiled = new AnswerCache<CompiledContext>(
    caches?.open<Computed<CompiledContext>>('context.compiled', {
      kind: 'content',
      staleMs: fixed.compileCacheStaleMs,
    }),
    () => read().compileCacheTtlMs,
  );
  const remembered = new AnswerCache<readonly MemoryView[]>(
    caches?.open<Computed<readonly MemoryView[]>>('context.memories', { kind: 'content' }),
    () => read().memoryCacheTtlMs,
  );
  const preloader = new MemoryPreloader(
    stores,
    caches?.open<PreloadedPart>('context.preload', { kind: 'session' }),
    clock,
  );
  return {
    sources,
    entries: new EntryService(sources, stores, bulk, maintenance, changes, clock, fixed),
    compiler: new CompileService(sources, stores, recorder, clock, read, compiled),
    memories: new MemoryService(
      stores,
      sourceCache,
      changes,
      preloader,
      remembered,
      recorder,
      access,
      clock,
      read,
    ),
    stores,
    partitions,
    recorder,
    maintenance,
    changes,
    sourceCache,
    preloader,
    async close() {
      await Promise.all([indexer.close(), recorder.close(), maintenance.settle()]);
      await changes.close();
    },
  };
}

/** The sources behind store managers: rows that every process reads for itself. */
function openSourceCache(
  caches: Caches | undefined,
  clock: Clock,
  { managerCacheTtlMs: ttlMs, managerCacheMaxSize: maxItems }: ContextSettings,
): Cache<NamedSources> | undefined {
  if (ttlMs === 0) return undefined;
  const options = {
    ttlMs,
    // Served while they are read again, since changes end them anyway; and when they cannot be.
    revalidateMs: ttlMs,
    staleMs: ttlMs,
    maxItems,
    maxBytes: SOURCE_CACHE_BYTES,
    policy: new EvictionPolicyRegistry().get('lru'),
    useTiers: false,
  };
  return (
    caches?.open<NamedSources>('context.sources', { kind: 'application', ...options }) ??
    new CacheHub({ clock }).cache<NamedSources>('context.sources', options)
  );
}

const SOURCE_CACHE_BYTES = 8 * 1024 * 1024;

function configuredEmbeddings(
  settings: ContextSettings,
  outbound: OutboundHttp,
): EmbeddingProvider | undefined {
  const { embeddingUrl: url, embeddingToken: token, embeddingTimeoutMs: timeoutMs } = settings;
  return url === undefined
    ? undefined
    : new HttpEmbeddingProvider(outbound, { url, token, timeoutMs });
}

function warn(code: string, message: string): (error: unknown) => void {
  return (error) => contextWarnings.publish(() => ({ code, message, error }));
}
