import { JobBoardSession1790000300001 } from './board-session.migration.js';

/** Migrations of this lib's own tables. BullMQ looks after its schema itself. */
export const jobsMigrations = [JobBoardSession1790000300001] as const;
