import { BackgroundTasks } from './background-tasks.js';

export interface WriteBehindOptions {
  /** How long what has come may gather, in milliseconds; asked each time. */
  readonly delayMs: () => number;
  /** Whether something has gathered. */
  readonly isDue: () => boolean;
  /** Writes what has gathered. What it cannot write it may keep for the next time. */
  readonly write: () => Promise<unknown>;
  readonly onError: (error: unknown) => void;
}

/**
 * Has what gathers in memory written some time after the first of it came, one write at a time. Its
 * timer keeps no process alive.
 */
export class WriteBehind {
  private timer: NodeJS.Timeout | undefined;
  private readonly tasks: BackgroundTasks;

  constructor(private readonly options: WriteBehindOptions) {
    this.tasks = new BackgroundTasks(options.onError);
  }

  /** Something has come. */
  schedule(): void {
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.start();
    }, this.options.delayMs()).unref();
  }

  /** Writes now, or a while after the write that is under way. */
  start(): void {
    if (!this.options.isDue()) return;
    if (this.tasks.size > 0) {
      this.schedule();
      return;
    }
    this.cancel();
    this.tasks.run(this.options.write);
  }

  /** Writes what has gathered so far, and waits for it. Never rejects. */
  async flush(): Promise<void> {
    await this.tasks.drain();
    this.start();
    await this.tasks.drain();
  }

  /** As `flush`, and leaves no timer. May be called twice. */
  async close(): Promise<void> {
    await this.flush();
    this.cancel();
  }

  private cancel(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }
}
