/** How much may run and wait at once; asked for at each arrival, so that limits may change. */
export interface QueueLimits {
  readonly concurrency: number;
  readonly queueLimit: number;
}

/**
 * Runs tasks in order of arrival, `concurrency` at once, and turns away what finds `queueLimit`
 * tasks waiting: a queue without a bound only turns overload into time-outs.
 */
export class BoundedQueue {
  private running = 0;
  private readonly waiting: (() => void)[] = [];

  constructor(
    private readonly limits: () => QueueLimits,
    private readonly whenFull: () => Error,
  ) {}

  /** @throws what `whenFull` makes, without running the task */
  async run<Result>(task: () => Promise<Result>): Promise<Result> {
    const { concurrency, queueLimit } = this.limits();
    if (this.running >= concurrency) {
      if (this.waiting.length >= queueLimit) throw this.whenFull();
      // Whoever finishes hands its place over, so that no newcomer overtakes the queue.
      await new Promise<void>((resolve) => this.waiting.push(resolve));
    } else {
      this.running += 1;
    }
    try {
      return await task();
    } finally {
      this.leave();
    }
  }

  private leave(): void {
    const next = this.running <= this.limits().concurrency ? this.waiting.shift() : undefined;
    if (next === undefined) this.running -= 1;
    else next();
  }
}
