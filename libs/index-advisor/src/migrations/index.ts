import { IndexAdvisor1790000500001 } from './index-advisor.migration.js';

/** Migrations of the tables of the index advisor. */
export const indexAdvisorMigrations = [IndexAdvisor1790000500001] as const;
