import type { BackgroundTasks } from '#libs/core';

const RETRY_MS = 250;
const MAX_PENDING = 10_000;

/** Does again what failed; true when it is done. */
export type Recovery = () => Promise<boolean>;

/**
 * Writes and invalidations that could not be done everywhere, by what they are about: a later one
 * takes the place of an earlier one. They are tried again until they are done. When there are too
 * many, `onOverflow` takes the place of all.
 */
export class RecoveryQueue {
  private readonly pending = new Map<string, Recovery>();
  private timer: NodeJS.Timeout | undefined;
  private isRunning = false;
  private isClosed = false;

  constructor(
    private readonly tasks: BackgroundTasks,
    private readonly onOverflow: Recovery,
  ) {}

  get size(): number {
    return this.pending.size;
  }

  has(id: string): boolean {
    return this.pending.size > 0 && this.pending.has(id);
  }

  add(id: string, recovery: Recovery): void {
    if (this.isClosed) return;
    if (this.pending.size >= MAX_PENDING && !this.pending.has(id)) {
      this.pending.clear();
      this.pending.set('overflow', this.onOverflow);
    } else if (!this.pending.has('overflow')) {
      this.pending.set(id, recovery);
    }
    this.schedule();
  }

  /** The same was done by another way. */
  done(id: string): void {
    this.pending.delete(id);
  }

  /** Tries at once. */
  retry(): void {
    if (this.pending.size > 0 && !this.isRunning) this.tasks.run(() => this.run());
  }

  close(): void {
    this.isClosed = true;
    clearTimeout(this.timer);
    this.pending.clear();
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.retry();
      if (this.pending.size > 0) this.schedule();
    }, RETRY_MS).unref();
  }

  private async run(): Promise<void> {
    this.isRunning = true;
    try {
      for (const [id, recovery] of Array.from(this.pending)) {
        // A later write may have taken its place, or have been done, meanwhile.
        if (this.pending.get(id) !== recovery) continue;
        if (!(await recovery())) return;
        if (this.pending.get(id) === recovery) this.pending.delete(id);
      }
    } finally {
      this.isRunning = false;
    }
  }
}
