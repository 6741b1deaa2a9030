import { RateLimit1790000500001 } from './rate-limit.migration.js';

/** Migrations of the tables of this lib. */
export const resilienceMigrations = [RateLimit1790000500001] as const;
