import { AuthTables1790000001001 } from './auth-tables.migration.js';
import { BuiltInRoles1790000001002 } from './built-in-roles.migration.js';

/** Migrations of the tables of accounts, permissions and sessions. */
export const authMigrations = [AuthTables1790000001001, BuiltInRoles1790000001002] as const;
