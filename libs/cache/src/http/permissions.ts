/** Lets a caller see how the cache does. */
export const READ = { resource: 'perf:cache', action: 'read' };

/** Lets a caller change the cache, and see keys and values. */
export const MANAGE = { resource: 'perf:cache', action: 'manage' };

/** Namespaces that one answer lists at most. */
export const MAX_NAMESPACES = 500;
