import type { Clock } from '#libs/core';

const SLOTS = 10;

/**
 * Two counts over the last while, in ten slots of time. What is older leaves also when nothing is
 * counted meanwhile. O(1) per count, O(slots) after a pause.
 */
export class RollingCounts {
  private readonly slots = new Float64Array(SLOTS * 2);
  private readonly totals = new Float64Array(2);
  private slotMs: number;
  private slot: number;

  constructor(
    private readonly clock: Clock,
    windowMs: number,
  ) {
    this.slotMs = windowMs / SLOTS;
    this.slot = this.slotNow();
  }

  /** How often `addFirst` was called. */
  get first(): number {
    this.advance();
    return this.totals[0] ?? 0;
  }

  get second(): number {
    this.advance();
    return this.totals[1] ?? 0;
  }

  addFirst(): void {
    this.add(0);
  }

  addSecond(): void {
    this.add(1);
  }

  /** Forgets everything; from now on over another window, if one is given. */
  reset(windowMs = this.slotMs * SLOTS): void {
    this.slotMs = windowMs / SLOTS;
    this.slot = this.slotNow();
    this.slots.fill(0);
    this.totals.fill(0);
  }

  private add(which: 0 | 1): void {
    this.advance();
    const at = (this.slot % SLOTS) * 2 + which;
    this.slots[at] = (this.slots[at] ?? 0) + 1;
    this.totals[which] = (this.totals[which] ?? 0) + 1;
  }

  private advance(): void {
    const now = this.slotNow();
    if (now === this.slot) return;
    if (now - this.slot >= SLOTS) {
      this.slots.fill(0);
      this.totals.fill(0);
    } else {
      for (let slot = this.slot + 1; slot <= now; slot += 1) {
        for (const which of [0, 1]) {
          const at = (slot % SLOTS) * 2 + which;
          this.totals[which] = (this.totals[which] ?? 0) - (this.slots[at] ?? 0);
          this.slots[at] = 0;
        }
      }
    }
    this.slot = now;
  }

  private slotNow(): number {
    return Math.floor(this.clock.monotonicMs() / this.slotMs);
  }
}
