import type { BulkheadLimits } from './policy.options.js';

interface Waiting {
  readonly enter: () => void;
  readonly refuse: (error: unknown) => void;
}

/**
 * Bounds the calls that run at once, with a bounded queue, first come, first served. Who gives up
 * waiting leaves the queue at once. (cockatiel's loses the turn of the next in line when the one before has given
 * up, and then nobody starts it.)
 */
export class Bulkhead {
  private running = 0;
  private readonly queue = new Set<Waiting>();

  constructor(private limits: BulkheadLimits) {}

  get inUse(): number {
    return this.running;
  }

  get queued(): number {
    return this.queue.size;
  }

  /** Takes a place if one is free. Who gets it calls `leave`. */
  tryEnter(): boolean {
    if (this.running >= this.limits.maxConcurrent) return false;
    this.running += 1;
    return true;
  }

  /**
   * Resolves once a place is taken; rejects with the reason of `signal`, or with `makeError()` after
   * `ms`. Undefined when the queue is full.
   */
  enqueue(
    ms: number,
    signal: AbortSignal | undefined,
    makeError: () => Error,
  ): Promise<void> | undefined {
    if (this.queue.size >= this.limits.maxQueued) return undefined;
    return new Promise((resolve, reject) => {
      const leaveQueue = (): boolean => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', cancel);
        return this.queue.delete(waiting);
      };
      // Whoever settles it first takes it out of the queue, so that no place is taken for nobody.
      const waiting: Waiting = {
        enter: () => {
          leaveQueue();
          resolve();
        },
        refuse: (error) => {
          if (leaveQueue()) reject(error);
        },
      };
      const cancel = (): void => waiting.refuse(signal?.reason);
      const timer = setTimeout(() => waiting.refuse(makeError()), ms);
      timer.unref();
      signal?.addEventListener('abort', cancel);
      this.queue.add(waiting);
    });
  }

  leave(): void {
    this.running -= 1;
    this.admit();
  }

  /** Sends everybody away who waits. */
  refuseQueued(makeError: () => Error): void {
    for (const waiting of this.queue) waiting.refuse(makeError());
  }

  configure(limits: BulkheadLimits): void {
    this.limits = limits;
    this.admit();
  }

  /** Bounds nothing any more: whoever waits goes on. */
  retire(): void {
    this.configure({ maxConcurrent: Infinity, maxQueued: Infinity });
  }

  private admit(): void {
    for (const waiting of this.queue) {
      if (!this.tryEnter()) return;
      waiting.enter();
    }
  }
}
