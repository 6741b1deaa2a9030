import { describe, expect, it } from '@jest/globals';
import { recordHit, type EvictionPolicy, type EvictionPolicyFactory } from '../eviction-policy.js';
import { hashKey } from '../key-hash.js';
import { RandomSource } from '../random-source.js';
import { SlotTable } from '../slot-table.js';

const UNBOUNDED = { maxItems: Number.POSITIVE_INFINITY, maxBytes: Number.POSITIVE_INFINITY };

/** A policy at work, without a store: knows which slots are in use. */
class Ruled {
  readonly table: SlotTable;
  readonly policy: EvictionPolicy;
  readonly slots = new Set<number>();

  constructor(
    create: EvictionPolicyFactory,
    private readonly maxItems: number,
  ) {
    this.table = new SlotTable(maxItems, { maxItems, maxBytes: Number.POSITIVE_INFINITY });
    this.policy = create(this.table);
  }

  put(key: number, weight = 100): number {
    while (this.slots.size >= this.maxItems) this.evict();
    const slot = this.table.take();
    this.table.hashes[slot] = hashKey(`key:${key}`, 1);
    this.table.weights[slot] = weight;
    this.policy.insert(slot);
    this.slots.add(slot);
    return slot;
  }

  hit(slot: number): void {
    recordHit(this.policy, this.table, slot);
  }

  remove(slot: number): void {
    this.policy.remove(slot);
    this.slots.delete(slot);
    this.table.give(slot);
  }

  evict(): number {
    const victim = this.policy.evict();
    if (!this.slots.delete(victim)) throw new Error(`slot ${victim} was evicted but not in use`);
    this.table.give(victim);
    return victim;
  }

  any(random: RandomSource): number {
    return [...this.slots][random.below(this.slots.size)] as number;
  }
}

function sorted(slots: Iterable<number>): number[] {
  return [...slots].sort((a, b) => a - b);
}

/** What every `EvictionPolicy` promises. Call it from a test file. */
export function evictionPolicyContract(name: string, create: EvictionPolicyFactory): void {
  describe(`${name} as an eviction policy`, () => {
    it('evicts each entry once and only entries that are there', () => {
      const ruled = new Ruled(create, 50);
      for (let key = 0; key < 50; key += 1) ruled.put(key);
      while (ruled.slots.size > 0) ruled.evict();
    });

    it('keeps count through any sequence of operations', () => {
      const ruled = new Ruled(create, 64);
      const random = new RandomSource(7);
      for (let step = 0; step < 10_000; step += 1) {
        const choice = random.below(10);
        if (choice < 5 || ruled.slots.size === 0) ruled.put(random.below(400));
        else if (choice < 8) ruled.hit(ruled.any(random));
        else if (choice < 9) ruled.remove(ruled.any(random));
        else {
          const slot = ruled.any(random);
          const weight = 1 + random.below(1_000);
          ruled.policy.reweigh(slot, weight);
          ruled.table.weights[slot] = weight;
        }
        if (step % 1_000 === 0) expect(sorted(ruled.policy.order())).toEqual(sorted(ruled.slots));
      }
      expect(sorted(ruled.policy.order())).toEqual(sorted(ruled.slots));
    });

    it('never evicts the newest entry while there is another', () => {
      const ruled = new Ruled(create, 8);
      for (let key = 0; key < 500; key += 1) {
        const newest = ruled.put(key);
        expect(ruled.slots.has(newest)).toBe(true);
      }
    });

    it('grows with the table', () => {
      const table = new SlotTable(4, UNBOUNDED);
      const policy = create(table);
      for (let key = 0; key < 100; key += 1) {
        let slot = table.take();
        if (slot < 0) {
          table.grow(table.slots * 2);
          policy.reserve(table.slots);
          slot = table.take();
        }
        table.hashes[slot] = hashKey(`key:${key}`, 1);
        policy.insert(slot);
        recordHit(policy, table, slot);
      }
      const evicted = Array.from({ length: 100 }, () => policy.evict());
      expect(sorted(evicted)).toEqual(Array.from({ length: 100 }, (_, slot) => slot));
    });

    it('forgets its entries when it is cleared, and works on', () => {
      const ruled = new Ruled(create, 16);
      for (let key = 0; key < 40; key += 1) ruled.hit(ruled.put(key));
      ruled.policy.clear();
      ruled.slots.clear();
      ruled.table.giveAll();
      expect([...ruled.policy.order()]).toEqual([]);
      for (let key = 0; key < 40; key += 1) ruled.put(key);
      expect(sorted(ruled.policy.order())).toEqual(sorted(ruled.slots));
    });

    it('takes over the entries of another cache', () => {
      const table = new SlotTable(32, { maxItems: 32, maxBytes: Number.POSITIVE_INFINITY });
      const slots = Array.from({ length: 32 }, () => table.take());
      for (const slot of slots) table.hashes[slot] = hashKey(`key:${slot}`, 1);
      const policy = create(table);
      policy.adopt(slots);
      expect(sorted(policy.order())).toEqual(slots);
      recordHit(policy, table, 5);
      expect(sorted(Array.from({ length: 32 }, () => policy.evict()))).toEqual(slots);
    });

    it('describes itself as JSON', () => {
      const ruled = new Ruled(create, 16);
      for (let key = 0; key < 3_000; key += 1) ruled.hit(ruled.put(key % 20));
      const description = ruled.policy.describe();
      expect(JSON.parse(JSON.stringify(description))).toEqual(description);
    });

    it('does the same for the same sequence', () => {
      const victims = (): number[] => {
        const ruled = new Ruled(create, 32);
        const random = new RandomSource(3);
        const evicted: number[] = [];
        for (let step = 0; step < 3_000; step += 1) {
          if (random.below(2) === 0 && ruled.slots.size > 0) ruled.hit(ruled.any(random));
          else {
            if (ruled.slots.size === 32) evicted.push(ruled.evict());
            ruled.put(random.below(200));
          }
        }
        return evicted;
      };
      expect(victims()).toEqual(victims());
    });
  });
}
