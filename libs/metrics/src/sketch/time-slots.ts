/** Time is divided into slots of this length; windows are so many of them. */
export const SLOT_MS = 5_000;

export const WINDOWS = [
  { name: '1m', seconds: 60, slots: 12 },
  { name: '5m', seconds: 300, slots: 60 },
  { name: '15m', seconds: 900, slots: 180 },
] as const;

export type WindowName = (typeof WINDOWS)[number]['name'];

/** Slots of the longest window. */
export const KEPT_SLOTS = 180;

/** The slot that a time falls into. */
export function slotOf(nowMs: number): number {
  return Math.floor(nowMs / SLOT_MS);
}

/**
 * A ring with one value for each of the last slots, the current one among them. Values of slots
 * in which nothing happened are undefined.
 */
export class SlotRing<Value> {
  private readonly values: (Value | undefined)[] = Array.from({ length: KEPT_SLOTS });
  private head = 0;

  get current(): Value | undefined {
    return this.values[this.head];
  }

  set current(value: Value | undefined) {
    this.values[this.head] = value;
  }

  /** Begins a new slot, and forgets the oldest; `slots` of them when some were missed. */
  advance(slots: number): void {
    for (let left = Math.min(slots, KEPT_SLOTS); left > 0; left -= 1) {
      this.head = (this.head + 1) % KEPT_SLOTS;
      this.values[this.head] = undefined;
    }
  }

  /** The value of `age` slots ago; 0 is the current slot. */
  at(age: number): Value | undefined {
    return this.values[(this.head - age + KEPT_SLOTS) % KEPT_SLOTS];
  }
}
