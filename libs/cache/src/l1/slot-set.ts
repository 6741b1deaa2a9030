import { grown } from './slot-table.js';

/** A set of slots from which any member can be drawn by number; 8 bytes a slot. */
export class SlotSet {
  size = 0;
  private members: Uint32Array;
  private places: Uint32Array;

  constructor(slots: number) {
    this.members = new Uint32Array(slots);
    this.places = new Uint32Array(slots);
  }

  reserve(slots: number): void {
    this.members = grown(this.members, slots);
    this.places = grown(this.places, slots);
  }

  /** The slot must not be a member yet. */
  add(slot: number): void {
    this.members[this.size] = slot;
    this.places[slot] = this.size;
    this.size += 1;
  }

  /** The slot must be a member. The last member takes its place. */
  delete(slot: number): void {
    const place = this.places[slot] as number;
    this.size -= 1;
    const last = this.members[this.size] as number;
    this.members[place] = last;
    this.places[last] = place;
  }

  /** The member with a number from 0 to `size` - 1; numbers change when members leave. */
  at(place: number): number {
    return this.members[place] as number;
  }

  clear(): void {
    this.size = 0;
  }

  *[Symbol.iterator](): Generator<number> {
    for (let place = 0; place < this.size; place += 1) yield this.members[place] as number;
  }
}
