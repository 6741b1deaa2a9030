import { CacheTables1790000400001 } from './cache-tables.migration.js';

/** Migrations of the cache's tables: entries, versions, nodes and leases. */
export const cacheMigrations = [CacheTables1790000400001] as const;
