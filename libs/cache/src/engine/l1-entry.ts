import type { TagVector } from './tag-table.js';

/**
 * An entry of the first level. Times are whole milliseconds since `TIME_BASE_MS`, so that V8 keeps
 * them in the object itself for the first 24 days of a process, and not in 16 bytes each beside it.
 */
export class L1Entry {
  constructor(
    readonly value: unknown,
    /** Until then a hit needs no thought: the entry is fresh, and no refresh is due. */
    public dueAt: number,
    readonly expiresAt: number,
    readonly staleUntil: number,
    readonly createdAt: number,
    /** What it took to load, in milliseconds. */
    readonly loadMs: number,
    /** Of `SyncState`; another one there means that an invalidation may have been missed. */
    public epoch: number,
    /** Null for an entry without tags of its own. */
    readonly tags: TagVector | null,
  ) {}
}

/** Bytes of an `L1Entry` without its value and its tags, measured with `bench:cache`. */
export const L1_ENTRY_BYTES = 80;

export const TIME_BASE_MS = Date.now();

export function toRelative(epochMs: number): number {
  return Math.ceil(epochMs - TIME_BASE_MS);
}

export function toEpochMs(relative: number): number {
  return relative + TIME_BASE_MS;
}
