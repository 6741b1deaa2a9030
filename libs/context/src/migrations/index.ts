import { Context1790000002001 } from './context.migration.js';

/** The migrations of this lib, for the data source. */
export const contextMigrations = [Context1790000002001] as const;
