import { ApiKeys1790000001031 } from './api-keys.migration.js';
import { AsymmetricSigningKeys1790000001020 } from './asymmetric-signing-keys.migration.js';
import { AuthTables1790000001001 } from './auth-tables.migration.js';
import { BuiltInRoles1790000001002 } from './built-in-roles.migration.js';
import { OAuthClients1790000001021 } from './oauth-clients.migration.js';
import { SecurityEvents1790000001030 } from './security-events.migration.js';
import { SessionActivity1790000001040 } from './session-activity.migration.js';

/** Migrations of the tables of accounts, permissions and sessions. */
export const authMigrations = [
  AuthTables1790000001001,
  BuiltInRoles1790000001002,
  AsymmetricSigningKeys1790000001020,
  OAuthClients1790000001021,
  SecurityEvents1790000001030,
  ApiKeys1790000001031,
  SessionActivity1790000001040,
] as const;
