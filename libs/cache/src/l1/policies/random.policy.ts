import { EvictionPolicy } from '../eviction-policy.js';
import { RandomSource } from '../random-source.js';
import { SlotSet } from '../slot-set.js';
import type { SlotTable } from '../slot-table.js';

/** Takes any entry, each with the same chance. The sequence is the same for the same seed. */
export class RandomPolicy extends EvictionPolicy {
  override readonly name = 'random';
  override readonly maxUses = 0;
  private readonly members: SlotSet;
  private readonly random: RandomSource;

  constructor(table: SlotTable, seed?: number) {
    super(table);
    this.members = new SlotSet(table.slots);
    this.random = new RandomSource(seed);
  }

  override reserve(slots: number): void {
    this.members.reserve(slots);
  }

  override insert(slot: number): void {
    this.members.add(slot);
  }

  override hit(_slot: number): void {
    // Chance knows no past.
  }

  override remove(slot: number): void {
    this.members.delete(slot);
  }

  override evict(): number {
    const slot = this.members.at(this.random.below(this.members.size));
    this.members.delete(slot);
    return slot;
  }

  override order(): Iterable<number> {
    return this.members;
  }

  override clear(): void {
    this.members.clear();
  }
}
