import { grown, type SlotTable } from './slot-table.js';
import { max } from './integer-math.js';

/** Marks the end of a list and the absence of a slot. */
export const NO_SLOT = -1;

/**
 * The links of all lists of one policy. A slot is in one list at most, so 8 bytes a slot serve
 * every list of the policy.
 */
export class SlotLinks {
  next: Int32Array;
  prev: Int32Array;

  constructor(readonly table: SlotTable) {
    this.next = new Int32Array(table.slots);
    this.prev = new Int32Array(table.slots);
  }

  reserve(slots: number): void {
    this.next = grown(this.next, slots);
    this.prev = grown(this.prev, slots);
  }
}

/** A queue of slots, oldest at the head, that knows its length and its bytes. */
export class SlotList {
  head = NO_SLOT;
  tail = NO_SLOT;
  length = 0;
  bytes = 0;

  constructor(private readonly links: SlotLinks) {}

  /** Adds at the young end. */
  push(slot: number): void {
    const { links, tail } = this;
    links.prev[slot] = tail;
    links.next[slot] = NO_SLOT;
    if (tail === NO_SLOT) this.head = slot;
    else links.next[tail] = slot;
    this.tail = slot;
    this.length += 1;
    this.bytes += links.table.weights[slot] as number;
  }

  remove(slot: number): void {
    this.unlink(slot);
    this.length -= 1;
    this.bytes -= this.links.table.weights[slot] as number;
  }

  /** Removes the oldest and returns it, `NO_SLOT` from an empty list. */
  shift(): number {
    const slot = this.head;
    if (slot !== NO_SLOT) this.remove(slot);
    return slot;
  }

  /** Makes a slot of this list the youngest. */
  renew(slot: number): void {
    const { links } = this;
    if (slot === this.tail) return;
    this.unlink(slot);
    const { tail } = this;
    links.prev[slot] = tail;
    links.next[slot] = NO_SLOT;
    if (tail === NO_SLOT) this.head = slot;
    else links.next[tail] = slot;
    this.tail = slot;
  }

  /** The larger of its parts of the two limits of the cache, 0 to 1. */
  share(): number {
    const { maxItems, maxBytes } = this.links.table;
    return max(this.length / maxItems, this.bytes / maxBytes);
  }

  clear(): void {
    this.head = NO_SLOT;
    this.tail = NO_SLOT;
    this.length = 0;
    this.bytes = 0;
  }

  /** Oldest first. The list must not change meanwhile. */
  *[Symbol.iterator](): Generator<number> {
    for (let slot = this.head; slot !== NO_SLOT; slot = this.links.next[slot] as number) yield slot;
  }

  private unlink(slot: number): void {
    const { next, prev } = this.links;
    const before = prev[slot] as number;
    const after = next[slot] as number;
    if (before === NO_SLOT) this.head = after;
    else next[before] = after;
    if (after === NO_SLOT) this.tail = before;
    else prev[after] = before;
  }
}
