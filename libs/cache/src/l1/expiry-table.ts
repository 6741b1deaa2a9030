import type { CoarseClock } from './coarse-clock.js';

/** The moment of what does not expire. */
export const NEVER = Number.POSITIVE_INFINITY;

/** When the entries of a store expire, by slot. It takes no memory until one does. */
export class ExpiryTable {
  /** Milliseconds since the Unix epoch by slot; absent while nothing expires. */
  times: Float64Array | undefined;
  private hand = 0;

  constructor(
    readonly clock: CoarseClock,
    private slots: number,
  ) {}

  /** By the exact clock. */
  isOver(slot: number): boolean {
    const time = this.times?.[slot] ?? NEVER;
    return time !== NEVER && time <= this.clock.wake();
  }

  /** Whether what ends then has ended already. */
  isPast(time: number): boolean {
    return time !== NEVER && !(time > this.clock.wake());
  }

  at(slot: number): number {
    return this.times?.[slot] ?? NEVER;
  }

  set(slot: number, time: number): void {
    if (this.times === undefined) {
      if (time === NEVER) return;
      this.times = new Float64Array(this.slots).fill(NEVER);
    }
    this.times[slot] = time;
  }

  reserve(slots: number): void {
    const { times } = this;
    this.slots = slots;
    if (times === undefined) return;
    this.times = new Float64Array(slots).fill(NEVER, times.length);
    this.times.set(times);
  }

  /** Forgets all times. */
  reset(slots: number): void {
    this.times = undefined;
    this.slots = slots;
    this.hand = 0;
  }

  /** Calls `expire` for the expired among the next `count` slots in a round through the `used` ones. */
  sweep(count: number, used: number, expire: (slot: number) => void): void {
    const { times } = this;
    if (times === undefined) return;
    const nowMs = this.clock.wake();
    for (let left = Math.min(count, used); left > 0; left -= 1) {
      this.hand = this.hand + 1 < used ? this.hand + 1 : 0;
      if ((times[this.hand] as number) <= nowMs) expire(this.hand);
    }
  }
}
