/** Lets a caller see indexes, advice and the changes that were made. */
export const READ = { resource: 'perf:indexes', action: 'read' };

/** Lets a caller start an analysis, and build indexes. */
export const MANAGE = { resource: 'perf:indexes', action: 'manage' };
