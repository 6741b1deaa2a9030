import { IdempotencyKey1790000000001 } from './idempotency-key.migration.js';

/** Migrations of the tables that belong to the platform itself. */
export const persistenceMigrations = [IdempotencyKey1790000000001] as const;
