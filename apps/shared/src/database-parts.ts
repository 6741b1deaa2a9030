import { authEntities, authMigrations } from '#libs/auth';
import { cacheMigrations } from '#libs/cache';
import { contextEntities, contextMigrations } from '#libs/context';
import { indexAdvisorMigrations } from '#libs/index-advisor';
import { jobsMigrations } from '#libs/jobs';
import { type DatabaseParts, persistenceMigrations } from '#libs/persistence';
import { resilienceMigrations } from '#libs/resilience';

/** The entities and migrations of every lib that this platform is composed of. */
export const databaseParts: DatabaseParts = {
  entities: [...authEntities, ...contextEntities],
  migrations: [
    ...persistenceMigrations,
    ...authMigrations,
    ...contextMigrations,
    ...jobsMigrations,
    ...cacheMigrations,
    ...indexAdvisorMigrations,
    ...resilienceMigrations,
  ],
};
