import { HashIndex } from './hash-index.js';
import { SlotLinks, SlotList } from './slot-list.js';
import { SlotTable } from './slot-table.js';

const UNBOUNDED = { maxItems: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

/** What became of a use of a key: another one, or out of sight, after how much time. */
export interface ReuseObserver {
  reused(keyClass: number, age: number): void;
  lost(keyClass: number, age: number): void;
}

/**
 * Follows a sample of the keys, chosen by hash, from one use to the next: those used last, 35 bytes
 * each. It reaches further back than the cache holds entries, and sees what happens to keys that
 * are no longer in it.
 */
export class ReuseHistory {
  /** Part of the keys that are followed, 0 to 1. */
  readonly rate: number;
  /** Keys whose hash is below this belong to the sample. */
  private readonly limit: number;
  private readonly table: SlotTable;
  private readonly order: SlotList;
  private readonly index: HashIndex;
  private readonly times: Uint32Array;
  private readonly classes: Uint8Array;

  /** `reach` is the number of keys to look back, `capacity` how many of them may be followed. */
  constructor(
    reach: number,
    capacity: number,
    private readonly observer: ReuseObserver,
  ) {
    const slots = Math.min(reach, capacity);
    this.rate = slots / reach;
    this.limit = this.rate * 0x1_0000_0000;
    this.table = new SlotTable(slots, UNBOUNDED);
    this.order = new SlotList(new SlotLinks(this.table));
    this.index = new HashIndex(slots);
    this.times = new Uint32Array(slots);
    this.classes = new Uint8Array(slots);
  }

  follows(hash: number): boolean {
    return hash < this.limit;
  }

  /** Reports the key's last use as followed by another one, and follows this one. */
  record(hash: number, keyClass: number, now: number): void {
    const { observer, times, classes } = this;
    let slot = this.index.find(hash, this.table.hashes);
    if (slot >= 0) {
      observer.reused(classes[slot] as number, (now - (times[slot] as number)) >>> 0);
      this.order.renew(slot);
    } else {
      slot = this.slotFor(hash, now);
      this.order.push(slot);
    }
    times[slot] = now;
    classes[slot] = keyClass;
  }

  /** Calls `visit` for each key's last use. */
  forEachPending(now: number, visit: (keyClass: number, age: number) => void): void {
    for (const slot of this.order) {
      visit(this.classes[slot] as number, (now - (this.times[slot] as number)) >>> 0);
    }
  }

  /** Of a key that is not followed yet; the one used longest ago makes room. */
  private slotFor(hash: number, now: number): number {
    const { table, index } = this;
    let slot = table.take();
    if (slot < 0) {
      slot = this.order.shift();
      index.delete(slot, table.hashes);
      this.observer.lost(this.classes[slot] as number, (now - (this.times[slot] as number)) >>> 0);
    }
    table.hashes[slot] = hash;
    index.add(slot, table.hashes);
    return slot;
  }
}
