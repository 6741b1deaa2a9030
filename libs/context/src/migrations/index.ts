import { Context1790000002001 } from './context.migration.js';
import { MemoryPreload1790000002002 } from './memory-preload.migration.js';

/** The migrations of this lib, for the data source. */
export const contextMigrations = [Context1790000002001, MemoryPreload1790000002002] as const;
