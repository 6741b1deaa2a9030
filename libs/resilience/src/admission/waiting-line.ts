import type { Waiter } from './waiter.js';

/** A line that is taken from at both ends, and left from anywhere. */
export class WaitingLine {
  private count = 0;
  private first: Waiter | null = null;
  private last: Waiter | null = null;

  get size(): number {
    return this.count;
  }

  get oldest(): Waiter | null {
    return this.first;
  }

  get newest(): Waiter | null {
    return this.last;
  }

  add(waiter: Waiter): void {
    waiter.line = this;
    waiter.older = this.last;
    waiter.newer = null;
    if (this.last === null) this.first = waiter;
    else this.last.newer = waiter;
    this.last = waiter;
    this.count += 1;
  }

  /** Whether it was in this line. */
  remove(waiter: Waiter): boolean {
    if (waiter.line !== this) return false;
    const { older, newer } = waiter;
    if (older === null) this.first = newer;
    else older.newer = newer;
    if (newer === null) this.last = older;
    else newer.older = older;
    waiter.older = null;
    waiter.newer = null;
    waiter.line = null;
    this.count -= 1;
    return true;
  }
}
