import { recordHit, type EvictionPolicy, type EvictionPolicyFactory } from './eviction-policy.js';
import { HashIndex } from './hash-index.js';
import { SlotTable, type CacheLimits } from './slot-table.js';

/** A cache of hashes without values: tells what a policy would have hit, at 40 to 80 bytes a key. */
export class ShadowCache {
  readonly policy: EvictionPolicy;
  private readonly table: SlotTable;
  private index: HashIndex;
  private items = 0;
  private bytes = 0;

  constructor(makePolicy: EvictionPolicyFactory, slots: number, limits: CacheLimits) {
    this.table = new SlotTable(slots, limits);
    this.policy = makePolicy(this.table);
    this.index = new HashIndex(slots);
  }

  /** Whether the key would have been found; if not it is put in. */
  access(hash: number, weight: number): boolean {
    const { table, policy } = this;
    const known = this.index.find(hash, table.hashes);
    if (known >= 0) {
      if (weight !== table.weights[known]) this.reweigh(known, weight);
      recordHit(policy, table, known);
      return true;
    }
    if (weight > table.maxBytes) return false;
    while (
      this.items > 0 &&
      (this.items >= table.maxItems || this.bytes + weight > table.maxBytes)
    ) {
      this.release(policy.evict());
    }
    const slot = this.takeSlot();
    table.hashes[slot] = hash;
    table.weights[slot] = weight;
    this.index.add(slot, table.hashes);
    this.items += 1;
    this.bytes += weight;
    policy.insert(slot);
    return false;
  }

  delete(hash: number): void {
    const slot = this.index.find(hash, this.table.hashes);
    if (slot < 0) return;
    this.policy.remove(slot);
    this.release(slot);
  }

  private reweigh(slot: number, weight: number): void {
    this.policy.reweigh(slot, weight);
    this.bytes += weight - (this.table.weights[slot] as number);
    this.table.weights[slot] = weight;
  }

  private release(slot: number): void {
    const { table } = this;
    this.index.delete(slot, table.hashes);
    this.items -= 1;
    this.bytes -= table.weights[slot] as number;
    table.give(slot);
  }

  private takeSlot(): number {
    const { table } = this;
    const slot = table.take();
    if (slot >= 0) return slot;
    table.grow(table.slots * 2);
    this.policy.reserve(table.slots);
    this.index = new HashIndex(table.slots);
    // Without a free slot all of them hold entries.
    for (let used = 0; used < table.usedSlots; used += 1) this.index.add(used, table.hashes);
    return table.take();
  }
}
