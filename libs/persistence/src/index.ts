export { DatabaseError, toDatabaseError } from './errors/database-error.js';
export { createDataSource } from './data-source.js';
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
