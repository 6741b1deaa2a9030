import { availableParallelism } from 'node:os';
import type { Clock } from '#libs/core';
import type { CpuTask } from './cpu-task.js';
import {
  WorkerQueueFullError,
  WorkersClosedError,
  WorkerTaskTimedOutError,
} from './errors/worker.errors.js';
import { type Job, PoolThread } from './pool-thread.js';
import type { WorkerSettings } from './worker-pool.settings.js';

export interface RunOptions {
  /** Buffers of the input that are handed over rather than copied. */
  readonly transfer?: readonly ArrayBuffer[];
  /** Ends the work when it aborts, with its reason. */
  readonly signal?: AbortSignal | undefined;
  /** Default `workers.taskTimeoutMs`. */
  readonly timeoutMs?: number;
  /** What the caller is told when the time is up. */
  readonly makeTimeoutError?: () => Error;
}

/** How a piece of work ended. */
export type WorkOutcome = 'succeeded' | 'failed' | 'refused';

export interface WorkReport {
  readonly task: string;
  readonly outcome: WorkOutcome;
  /** Milliseconds from the call to the start; to the end for what was never begun. */
  readonly waitedMs: number;
  /** Milliseconds that the thread worked; undefined when it did not finish. */
  readonly runMs?: number;
}

export interface WorkerPoolParts {
  readonly clock: Clock;
  readonly limits: () => WorkerSettings;
  readonly onDone: (report: WorkReport) => void;
}

interface Waiting extends Job {
  readonly queuedAtMs: number;
  /** The thread that does it; undefined while it waits. */
  thread: PoolThread | undefined;
  startedAtMs: number | undefined;
}

const CPUS = availableParallelism();
/** Share of the newest in the mean duration of tasks. */
const NEWEST_SHARE = 0.2;

/**
 * Threads for CPU work, none until there is some. A piece of work that finds no idle thread waits in a
 * bounded queue, first come, first served. A thread is added when work would wait longer than
 * `growAfterMs`, by how long tasks take at present, or has done so, or would find the queue full; and is
 * ended after `idleMs` without work. The one that worked last works next, so that those that are not
 * needed become idle.
 */
export class WorkerPool {
  private readonly threads = new Set<PoolThread>();
  private readonly idle: PoolThread[] = [];
  private readonly queue = new Set<Waiting>();
  private readonly running = new Set<Waiting>();
  private readonly ending = new Set<Promise<void>>();
  private meanMs: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(private readonly parts: WorkerPoolParts) {}

  get size(): number {
    return this.threads.size;
  }

  get busy(): number {
    return this.running.size;
  }

  get queueLength(): number {
    return this.queue.size;
  }

  /**
   * Has a piece of work done by a thread.
   *
   * @throws WorkerQueueFullError, WorkersClosedError, WorkerTaskTimedOutError, WorkerTaskFailedError,
   * WorkerCrashedError, or the reason of the signal
   */
  run<Input, Output>(
    task: CpuTask<Input, Output>,
    input: Input,
    options: RunOptions = {},
  ): Promise<Output> {
    const { name } = task;
    const { signal } = options;
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.isClosed) return Promise.reject(new WorkersClosedError(name));
    const { maxQueue, taskTimeoutMs } = this.parts.limits();
    const mustWait = this.idle.length === 0 && this.threads.size >= this.maxThreads;
    if (mustWait && this.queue.size >= maxQueue) {
      this.parts.onDone({ task: name, outcome: 'refused', waitedMs: 0 });
      return Promise.reject(new WorkerQueueFullError(name, this.queue.size));
    }
    const timeoutMs = options.timeoutMs ?? taskTimeoutMs;
    return new Promise((resolve, reject) => {
      const queuedAtMs = this.parts.clock.monotonicMs();
      const settle = (outcome: WorkOutcome, runMs: number | undefined): boolean => {
        if (!this.queue.delete(waiting) && !this.running.delete(waiting)) return false;
        clearTimeout(timeout);
        signal?.removeEventListener('abort', cancel);
        const begunAtMs = waiting.startedAtMs ?? this.parts.clock.monotonicMs();
        const waitedMs = begunAtMs - queuedAtMs;
        this.parts.onDone({ task: name, outcome, waitedMs, ...(runMs !== undefined && { runMs }) });
        return true;
      };
      const waiting: Waiting = {
        task: name,
        message: { moduleUrl: task.moduleUrl().href, input },
        transfer: options.transfer ?? [],
        queuedAtMs,
        thread: undefined,
        startedAtMs: undefined,
        succeed: (output, runMs) => {
          if (!settle('succeeded', runMs)) return;
          this.noteDuration(runMs);
          resolve(output as Output);
        },
        fail: (error) => {
          if (settle('failed', undefined)) reject(error);
        },
      };
      const stop = (error: unknown): void => {
        waiting.fail(error);
        if (waiting.thread !== undefined) this.end(waiting.thread);
      };
      const cancel = (): void => stop(signal?.reason);
      const timeout = setTimeout(() => {
        stop(options.makeTimeoutError?.() ?? new WorkerTaskTimedOutError(name, timeoutMs));
      }, timeoutMs);
      timeout.unref();
      signal?.addEventListener('abort', cancel);
      this.queue.add(waiting);
      this.dispatch();
    });
  }

  /** Starts the threads that are always kept. */
  start(): void {
    const { minThreads } = this.parts.limits();
    while (this.threads.size < minThreads) this.addIdle(this.addThread());
  }

  /** Fails what is not finished and ends the threads. May be called twice. */
  async close(): Promise<void> {
    this.isClosed = true;
    clearTimeout(this.timer);
    for (const waiting of [...this.queue, ...this.running]) {
      waiting.fail(new WorkersClosedError(waiting.task));
    }
    for (const thread of this.threads) this.end(thread);
    await Promise.all(this.ending);
  }

  private get maxThreads(): number {
    return this.parts.limits().maxThreads || CPUS - 1 || 1;
  }

  /** Gives work to threads, adds one where it pays, and looks again when that may change. */
  private dispatch(): void {
    if (this.isClosed) return;
    for (const waiting of this.queue) {
      const thread = this.idle.pop() ?? (this.shouldGrow() ? this.addThread() : undefined);
      if (thread === undefined) break;
      this.queue.delete(waiting);
      this.running.add(waiting);
      waiting.thread = thread;
      waiting.startedAtMs = this.parts.clock.monotonicMs();
      thread.run(waiting);
    }
    this.lookAgain();
  }

  private shouldGrow(): boolean {
    const { growAfterMs, maxQueue } = this.parts.limits();
    const { size } = this.threads;
    if (size >= this.maxThreads) return false;
    if (size === 0 || this.meanMs === undefined || this.queue.size > maxQueue) return true;
    // One that starts may be all that was missing.
    if ([...this.threads].some(({ isStarting }) => isStarting)) return this.hasWaited(growAfterMs);
    return (this.queue.size * this.meanMs) / size > growAfterMs || this.hasWaited(growAfterMs);
  }

  private hasWaited(ms: number): boolean {
    for (const { queuedAtMs } of this.queue) {
      return this.parts.clock.monotonicMs() - queuedAtMs >= ms;
    }
    return false;
  }

  private addThread(): PoolThread {
    const thread = new PoolThread({
      maxHeapMb: this.parts.limits().maxHeapMb,
      onFree: (free) => {
        if (!this.threads.has(free)) return;
        this.addIdle(free);
        this.dispatch();
      },
      onEnd: (ended) => {
        this.forget(ended);
        this.dispatch();
      },
    });
    this.threads.add(thread);
    return thread;
  }

  private addIdle(thread: PoolThread): void {
    thread.idleSinceMs = this.parts.clock.monotonicMs();
    this.idle.push(thread);
  }

  /** One timer for both: work that has waited too long, and threads that are not needed. */
  private lookAgain(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const { growAfterMs, idleMs, minThreads } = this.parts.limits();
    const canGrow = this.queue.size > 0 && this.threads.size < this.maxThreads;
    const canShrink = this.idle.length > 0 && this.threads.size > minThreads;
    if (!canGrow && !canShrink) return;
    this.timer = setTimeout(
      () => {
        this.endIdle();
        this.dispatch();
      },
      canGrow ? growAfterMs : idleMs,
    );
    this.timer.unref();
  }

  private endIdle(): void {
    const { idleMs, minThreads } = this.parts.limits();
    const nowMs = this.parts.clock.monotonicMs();
    // The first has been idle for longest.
    for (const thread of this.idle.slice()) {
      const isSpare = this.threads.size > this.maxThreads;
      if (!isSpare && (this.threads.size <= minThreads || nowMs - thread.idleSinceMs < idleMs))
        return;
      this.end(thread);
    }
  }

  private end(thread: PoolThread): void {
    this.forget(thread);
    const ended = thread.end().finally(() => this.ending.delete(ended));
    this.ending.add(ended);
  }

  private forget(thread: PoolThread): void {
    this.threads.delete(thread);
    const at = this.idle.indexOf(thread);
    if (at !== -1) this.idle.splice(at, 1);
  }

  private noteDuration(runMs: number): void {
    this.meanMs =
      this.meanMs === undefined ? runMs : this.meanMs + NEWEST_SHARE * (runMs - this.meanMs);
  }
}
