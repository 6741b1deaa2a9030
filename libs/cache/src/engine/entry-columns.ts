import type { SlotColumns } from '../l1/slot-columns.js';
import { grown } from '../l1/slot-table.js';
import type { L1Entry } from './l1-entry.js';
import type { EntryTags } from './tag-table.js';

const LONGEST_LIFE = 2 ** 32 - 1;

/**
 * What the entries of the first level have beside value, key and end, by slot: 8 bytes an entry as
 * most of them are. What only some caches need is made with the first entry that needs it: 8 bytes
 * for entries that outlive their freshness, 8 for refreshes ahead, 4 for the time of the load, 8
 * for tags.
 *
 * Times are whole milliseconds, and only ever later than the exact ones: an entry must not seem
 * older than its own copy in a shared level.
 */
export class EntryColumns implements SlotColumns {
  /** `SyncState.epoch` in which the entry was stored. */
  epochs: Uint32Array;
  /** From its creation to the end of its freshness. */
  private lives: Uint32Array;
  tags: (EntryTags | undefined)[] | undefined;
  /** Until when entries are fresh; absent while that is the end of all of them. */
  fresh: Float64Array | undefined;
  /** Until when hits need no thought; absent while that is the end of the freshness of all. */
  due: Float64Array | undefined;
  private loads: Float32Array | undefined;

  constructor(private slots: number) {
    this.epochs = new Uint32Array(slots);
    this.lives = new Uint32Array(slots);
  }

  /** `ends` are the moments at which the entries leave, by slot. */
  write(slot: number, entry: L1Entry, ends: Float64Array): void {
    const end = ends[slot] as number;
    const expires = Math.ceil(entry.expiresMs);
    const due = Math.ceil(entry.dueMs);
    this.epochs[slot] = entry.epoch;
    this.lives[slot] = Math.min(LONGEST_LIFE, Math.max(0, Math.floor(expires - entry.createdMs)));
    if (this.fresh === undefined && expires !== end) this.fresh = ends.slice();
    if (this.fresh !== undefined) this.fresh[slot] = expires;
    if (this.due === undefined && due !== expires) this.due = (this.fresh ?? ends).slice();
    if (this.due !== undefined) this.due[slot] = due;
    if (this.loads === undefined && due !== expires) this.loads = new Float32Array(this.slots);
    if (this.loads !== undefined) this.loads[slot] = entry.loadMs;
    if (this.tags === undefined && entry.tags !== null) {
      this.tags = [];
      this.tags.length = this.slots;
    }
    if (this.tags !== undefined) this.tags[slot] = entry.tags ?? undefined;
  }

  expiresMs(slot: number, endMs: number): number {
    return this.fresh === undefined ? endMs : (this.fresh[slot] as number);
  }

  dueMs(slot: number, endMs: number): number {
    return this.due === undefined ? this.expiresMs(slot, endMs) : (this.due[slot] as number);
  }

  createdMs(slot: number, endMs: number): number {
    return this.expiresMs(slot, endMs) - (this.lives[slot] as number);
  }

  loadMs(slot: number): number {
    return this.loads?.[slot] ?? 0;
  }

  reserve(slots: number): void {
    this.slots = slots;
    this.epochs = grown(this.epochs, slots);
    this.lives = grown(this.lives, slots);
    if (this.fresh !== undefined) this.fresh = grown(this.fresh, slots);
    if (this.due !== undefined) this.due = grown(this.due, slots);
    if (this.loads !== undefined) this.loads = grown(this.loads, slots);
    if (this.tags !== undefined) this.tags.length = slots;
  }

  vacate(slot: number): void {
    if (this.tags !== undefined) this.tags[slot] = undefined;
  }

  clear(): void {
    this.tags = undefined;
    this.fresh = undefined;
    this.due = undefined;
    this.loads = undefined;
  }

  pack(order: readonly number[], slots: number): void {
    const { tags } = this;
    this.slots = slots;
    this.epochs = packed(this.epochs, order, slots);
    this.lives = packed(this.lives, order, slots);
    if (this.fresh !== undefined) this.fresh = packed(this.fresh, order, slots);
    if (this.due !== undefined) this.due = packed(this.due, order, slots);
    if (this.loads !== undefined) this.loads = packed(this.loads, order, slots);
    if (tags === undefined) return;
    this.tags = order.map((slot) => tags[slot]);
    this.tags.length = slots;
  }
}

function packed<Column extends Uint32Array | Float32Array | Float64Array>(
  column: Column,
  order: readonly number[],
  slots: number,
): Column {
  const shorter = new (column.constructor as new (length: number) => Column)(slots);
  for (const [to, from] of order.entries()) shorter[to] = column[from] as number;
  return shorter;
}
