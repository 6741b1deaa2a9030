import { CacheOverrides1790000400301 } from './cache-overrides.migration.js';
import { CacheStrategies1790000400101 } from './cache-strategies.migration.js';
import { CacheTables1790000400001 } from './cache-tables.migration.js';
import { CacheWarming1790000400201 } from './cache-warming.migration.js';

/** Migrations of the cache's tables: entries, versions, nodes, leases, strategies, warming, and changes at run time. */
export const cacheMigrations = [
  CacheTables1790000400001,
  CacheStrategies1790000400101,
  CacheWarming1790000400201,
  CacheOverrides1790000400301,
] as const;
