import type { EntryTags } from './tag-table.js';

/** An entry of the first level as it is read where a hit is not enough. Times since the Unix epoch. */
export class L1Entry {
  constructor(
    readonly value: unknown,
    /** Until then a hit needs no thought: the entry is fresh, and no refresh is due. */
    readonly dueMs: number,
    readonly expiresMs: number,
    readonly staleUntilMs: number,
    readonly createdMs: number,
    /** What it took to load, in milliseconds; 0 where nobody asks. */
    readonly loadMs: number,
    /** Of `SyncState`; another one there means that an invalidation may have been missed. */
    readonly epoch: number,
    /** Null for an entry without tags of its own. */
    readonly tags: EntryTags | null,
  ) {}
}
