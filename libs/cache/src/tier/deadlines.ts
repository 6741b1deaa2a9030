/** Something that is waited for until a moment, by `performance.now()`. */
export abstract class Deadline {
  /** @internal Of `Deadlines`. */
  before: Deadline | undefined;
  /** @internal */
  after: Deadline | undefined;
  /** @internal */
  isWaitedFor = false;

  constructor(readonly atMs: number) {}

  abstract expire(): void;
}

/**
 * One timer for everything that is waited for: making and clearing a timer for each call costs more
 * than the rest of the call. It runs on after the last wait has ended, at most until its moment, and
 * keeps no process alive. The waits are a list through themselves, which costs no memory.
 */
export class Deadlines {
  private first: Deadline | undefined;
  private timer: NodeJS.Timeout | undefined;
  private timerAtMs = Number.POSITIVE_INFINITY;

  add(wait: Deadline): void {
    wait.isWaitedFor = true;
    wait.after = this.first;
    if (this.first !== undefined) this.first.before = wait;
    this.first = wait;
    if (wait.atMs < this.timerAtMs) this.arm(wait.atMs);
  }

  /** Whether it was still waited for. */
  delete(wait: Deadline): boolean {
    if (!wait.isWaitedFor) return false;
    const { before, after } = wait;
    if (before === undefined) this.first = after;
    else before.after = after;
    if (after !== undefined) after.before = before;
    wait.before = undefined;
    wait.after = undefined;
    wait.isWaitedFor = false;
    return true;
  }

  private arm(atMs: number): void {
    clearTimeout(this.timer);
    this.timerAtMs = atMs;
    this.timer = setTimeout(() => this.fire(), Math.max(1, atMs - performance.now())).unref();
  }

  private fire(): void {
    const nowMs = performance.now();
    const over: Deadline[] = [];
    let nextAtMs = Number.POSITIVE_INFINITY;
    for (let wait = this.first; wait !== undefined; wait = wait.after) {
      if (wait.atMs > nowMs) nextAtMs = Math.min(nextAtMs, wait.atMs);
      else over.push(wait);
    }
    this.timerAtMs = Number.POSITIVE_INFINITY;
    if (nextAtMs < this.timerAtMs) this.arm(nextAtMs);
    // What they do may begin new waits.
    for (const wait of over) if (this.delete(wait)) wait.expire();
  }
}
