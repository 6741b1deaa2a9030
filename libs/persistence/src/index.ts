export { DatabaseError, toDatabaseError } from './errors/database-error.js';
export { connectedPoolOf, createDataSource, poolOf } from './data-source.js';
export type { DatabaseParts } from './data-source.js';
export { IdempotencyStore } from './idempotency/idempotency.store.js';
export type {
  ClaimOutcome,
  IdempotencyClaim,
  StoredAnswer,
} from './idempotency/idempotency.store.js';
export { PostgresIdempotencyStore } from './idempotency/postgres-idempotency.store.js';
export { migrate } from './migrate.js';
export { persistenceMigrations } from './migrations/index.js';
export { PersistenceModule } from './persistence.module.js';
export { persistenceSettings } from './persistence.settings.js';
export type { PersistenceSettings } from './persistence.settings.js';
export { redisSettings } from './redis.settings.js';
export type { RedisSettings } from './redis.settings.js';
export { connectRunning } from './embedded/connect-running.js';
export { EmbeddedPostgres } from './embedded/embedded-postgres.js';
export type { PostgresHandle } from './embedded/embedded-postgres.js';
export { embeddedPostgresEvents } from './embedded/embedded-postgres.events.js';
export type { EmbeddedPostgresEvent } from './embedded/embedded-postgres.events.js';
export type { EmbeddedPostgresOptions } from './embedded/embedded-postgres.options.js';
export {
  embeddedPostgresSettings,
  toEmbeddedPostgresOptions,
} from './embedded/embedded-postgres.settings.js';
export type { EmbeddedPostgresSettings } from './embedded/embedded-postgres.settings.js';
export { EmbeddedPostgresDataError } from './embedded/errors/embedded-postgres-data.error.js';
export type { DataFolderFault } from './embedded/errors/embedded-postgres-data.error.js';
export { EmbeddedPostgresInUseError } from './embedded/errors/embedded-postgres-in-use.error.js';
export { EmbeddedPostgresPortTakenError } from './embedded/errors/embedded-postgres-port-taken.error.js';
export { EmbeddedPostgresStartError } from './embedded/errors/embedded-postgres-start.error.js';
export { EmbeddedPostgresError } from './embedded/errors/embedded-postgres.error.js';
export { persistenceControllers } from './http/index.js';
export { PoolOverseer } from './pool/pool-overseer.js';
export type { PoolReport } from './pool/pool-overseer.js';
export { poolEvents } from './pool/pool.events.js';
export type { PoolEvent } from './pool/pool.events.js';
export { QueryInsights } from './queries/query-insights.js';
export { QueryRecorder, slowQueries } from './queries/query-recorder.js';
export type { QueryReport, SlowQuery } from './queries/query-recorder.js';
export { NPlusOneDetector, nPlusOnes } from './queries/n-plus-one.detector.js';
export type { NPlusOne } from './queries/n-plus-one.detector.js';
export { bulkInsert } from './bulk/bulk-insert.js';
export type {
  BulkInsertOptions,
  BulkInsertReport,
  OnConflict,
  RejectedRow,
} from './bulk/bulk-insert.types.js';
export { QueryCache } from './query-cache/query-cache.js';
export type { CachedScope, QueryCacheOptions } from './query-cache/query-cache.js';
export { QueryResultStore } from './query-cache/query-result.store.js';
export type { CachedResult, StoredQuery } from './query-cache/query-result.store.js';
export { tableLives } from './query-cache/table-lives.js';
export { EntityLoader } from './loading/entity-loader.js';
export { streamRows } from './streaming/row-stream.js';
export type { RowStreamOptions, StreamConnection } from './streaming/row-stream.js';
