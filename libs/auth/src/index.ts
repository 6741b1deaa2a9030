export { authEntities } from './entities/index.js';
export { authMigrations } from './migrations/index.js';
export { authSettings } from './auth.settings.js';
export type { AuthSettings } from './auth.settings.js';
