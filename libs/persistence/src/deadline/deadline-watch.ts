import type { Clock } from '#libs/core';

/** Something that ends at a deadline. */
export interface Deadline {
  readonly deadlineMs: number;
  /** Called once, when the deadline has passed. */
  readonly expire: () => void;
}

/** A timer that waits longer would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * Watches deadlines, most of which are never reached. One timer serves them all, and stays as it is
 * when they go, so that one costs no more than its place in a set.
 */
export class DeadlineWatch {
  private readonly watched = new Set<Deadline>();
  private timer: NodeJS.Timeout | undefined;
  private wakeMs = Number.POSITIVE_INFINITY;

  constructor(private readonly clock: Clock) {}

  get size(): number {
    return this.watched.size;
  }

  add(deadline: Deadline): void {
    this.watched.add(deadline);
    if (deadline.deadlineMs < this.wakeMs) this.wakeAt(deadline.deadlineMs);
  }

  remove(deadline: Deadline): void {
    this.watched.delete(deadline);
  }

  private wakeAt(ms: number): void {
    clearTimeout(this.timer);
    this.wakeMs = ms;
    // Rounded up, for a timer may fire a little early.
    const leftMs = Math.min(
      Math.max(0, Math.ceil(ms - this.clock.monotonicMs())),
      LONGEST_TIMER_MS,
    );
    this.timer = setTimeout(this.wake, leftMs).unref();
  }

  private readonly wake = (): void => {
    this.wakeMs = Number.POSITIVE_INFINITY;
    const nowMs = this.clock.monotonicMs();
    let nextMs = Number.POSITIVE_INFINITY;
    for (const deadline of this.watched) {
      if (deadline.deadlineMs <= nowMs) {
        this.watched.delete(deadline);
        deadline.expire();
      } else if (deadline.deadlineMs < nextMs) nextMs = deadline.deadlineMs;
    }
    if (nextMs < this.wakeMs) this.wakeAt(nextMs);
  };
}
