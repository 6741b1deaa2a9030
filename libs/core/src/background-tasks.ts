/**
 * Keeps track of work that nobody awaits, so that shutdown can. A failure goes to `onError` and
 * never becomes an unhandled rejection.
 */
export class BackgroundTasks {
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly onError: (error: unknown) => void) {}

  get size(): number {
    return this.running.size;
  }

  /** Starts `task` and returns at once. */
  run(task: () => Promise<unknown>): void {
    const ended = (): void => {
      this.running.delete(tracked);
    };
    const tracked: Promise<void> = task().then(ended, (error: unknown) => {
      ended();
      this.onError(error);
    });
    this.running.add(tracked);
  }

  /** Resolves when everything that runs now, and what it starts in turn, has ended. */
  async drain(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}
