/** Something that is waited for until a moment, by `performance.now()`. */
export interface Deadline {
  readonly atMs: number;
  expire(): void;
}

/**
 * One timer for everything that is waited for: making and clearing a timer for each call costs more
 * than the rest of the call. It runs on after the last wait has ended, at most until its moment, and
 * keeps no process alive.
 */
export class Deadlines {
  private readonly waits = new Set<Deadline>();
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;

  add(wait: Deadline): void {
    this.waits.add(wait);
    if (wait.atMs < this.timerAtMs) this.arm(wait.atMs);
  }

  /** Whether it was still waited for. */
  delete(wait: Deadline): boolean {
    return this.waits.delete(wait);
  }

  private arm(atMs: number): void {
    clearTimeout(this.timer);
    this.timerAtMs = atMs;
    this.timer = setTimeout(() => this.fire(), Math.max(1, atMs - performance.now())).unref();
  }

  private fire(): void {
    const nowMs = performance.now();
    let nextAtMs = Number.POSITIVE_INFINITY;
    this.timerAtMs = nextAtMs;
    for (const wait of this.waits) {
      if (wait.atMs > nowMs) nextAtMs = Math.min(nextAtMs, wait.atMs);
      else {
        this.waits.delete(wait);
        wait.expire();
      }
    }
    if (nextAtMs < this.timerAtMs) this.arm(nextAtMs);
  }
}
