import type { WINDOWS } from '../sketch/time-slots.js';
import { KEPT_SLOTS } from '../sketch/time-slots.js';

/**
 * Counts distinct users over windows: exactly up to a number of them, beyond which the count is
 * a lower bound. Keeps the last slot in which each user was seen.
 */
export class RecentUsers {
  private readonly lastSlot = new Map<string, number>();
  private slot = 0;

  constructor(private readonly maxUsers: number) {}

  seen(userId: string): void {
    if (this.lastSlot.size < this.maxUsers || this.lastSlot.has(userId)) {
      this.lastSlot.set(userId, this.slot);
    }
  }

  advance(slots: number): void {
    this.slot += slots;
    for (const [userId, slot] of this.lastSlot) {
      if (this.slot - slot >= KEPT_SLOTS) this.lastSlot.delete(userId);
    }
  }

  /** Users seen in a window. */
  countIn({ slots }: (typeof WINDOWS)[number]): number {
    let users = 0;
    for (const slot of this.lastSlot.values()) if (this.slot - slot < slots) users += 1;
    return users;
  }

  /** Whether there were more users than are told apart. */
  get isFull(): boolean {
    return this.lastSlot.size >= this.maxUsers;
  }
}
