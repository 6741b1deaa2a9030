export { ContextModule } from './context.module.js';
export { createContext } from './create-context.js';
export type { Context, ContextDependencies } from './create-context.js';
export { contextSettings } from './context.settings.js';
export type { ContextSettings } from './context.settings.js';
export { contextEntities } from './entities/index.js';
export { AccessEventEntity } from './entities/access-event.entity.js';
export { ContextEntryEntity } from './entities/context-entry.entity.js';
export type { EntryLifecycle, EntryTier } from './entities/context-entry.entity.js';
export {
  ContextSourceEntity,
  SOURCE_KINDS,
  SOURCE_SCOPES,
} from './entities/context-source.entity.js';
export type { CacheRule, SourceKind, SourceScope } from './entities/context-source.entity.js';
export { EntryIndexEntity } from './entities/entry-index.entity.js';
export type { IndexState } from './entities/entry-index.entity.js';
export { contextControllers } from './http/index.js';
export { contextMigrations } from './migrations/index.js';

export type {
  CompileOptions,
  ContextPort,
  ContextSource,
  Message,
  Role,
} from './port/context-port.js';
export type {
  CompileReport,
  CompileResult,
  MessageExplanation,
  SourceReport,
} from './port/compile-report.js';
export { DualStoreManager } from './port/dual-store-manager.js';
export type {
  BatchRead,
  BatchReader,
  Consistency,
  ConsistencyReport,
  EntryConsistency,
  EntrySort,
  EntryWhere,
} from './port/dual-store-manager.js';
export { makePantheonPersistenceAdapter } from './port/pantheon-persistence-adapter.js';
export type {
  PantheonPersistenceAdapter,
  PantheonPersistenceDependencies,
} from './port/pantheon-persistence-adapter.js';
export type { ManagerCacheConfig } from './port/manager-cache.js';
export { matchesWhere } from './port/matches-where.js';
export { EmbeddingProvider } from './ranking/embedding-provider.js';
export { PostgresDualStoreManager } from './store/postgres-dual-store-manager.js';
export type { PostgresStores } from './store/postgres-dual-store-manager.js';
export type { NewEntry, StoreEntry } from './port/store-entry.js';
export { DEFAULT_WEIGHTS, scoreTerms, totalScore } from './ranking/score.js';
export type { ScoreTerms, ScoreWeights } from './ranking/score.js';

export { markdownSections } from './ingest/markdown-sections.js';
export type { MarkdownSection } from './ingest/markdown-sections.js';

export { contextWarnings, sourceChanged } from './events.js';
export type { ContextWarning, SourceChange } from './events.js';
export { EntryNotFoundError } from './errors/entry-not-found.error.js';
export { SourceForbiddenError } from './errors/source-forbidden.error.js';
export { SourceNameTakenError } from './errors/source-name-taken.error.js';
export { SourceNotFoundError } from './errors/source-not-found.error.js';

export { CompileService } from './services/compile.service.js';
export type {
  CompileAnswer,
  CompileRequest,
  CompileSource,
  CompileTimings,
  CompiledContext,
} from './services/compile.types.js';
export { EntryService } from './services/entry.service.js';
export type { EntryPageOptions, RepairReport } from './services/entry.service.js';
export {
  compileRequestSchema,
  feedbackSchema,
  newEntrySchema,
  newSourceSchema,
  recallSchema,
  rememberSchema,
  sourceChangesSchema,
} from './services/input.schemas.js';
export { DEFAULT_PRELOAD_CONFIG } from './preload/preload.config.js';
export type { PreloadCategory, PreloadConfig } from './preload/preload.config.js';
export { MemoryService } from './services/memory.service.js';
export type {
  MemoryAnswer,
  MemoryFeedback,
  MemoryView,
  RecallRequest,
} from './services/memory.service.js';
export { SourceCache } from './caching/source-cache.js';
export type { SourceCacheMetrics } from './caching/source-cache.js';
export { SourceService } from './services/source.service.js';
export type { SourceAction } from './services/source.service.js';
export { LARGE_ENTRY_FIELDS } from './services/views.js';
export type {
  BulkLine,
  BulkOptions,
  BulkReport,
  EntryView,
  LargeEntryField,
  NewSource,
  RejectedLine,
  SourceChanges,
  SourceView,
} from './services/views.js';
