import { Worker } from 'node:worker_threads';
import { isError, threadExecArgv, threadFile } from '#libs/core';
import { WorkerCrashedError, WorkerTaskFailedError } from './errors/worker.errors.js';
import type { DoneMessage, WorkMessage } from './thread.messages.js';

/** A piece of work on its way through the pool. */
export interface Job {
  readonly task: string;
  readonly message: WorkMessage;
  readonly transfer: readonly ArrayBuffer[];
  /** Settles it; the second time does nothing. */
  readonly succeed: (output: unknown, runMs: number) => void;
  readonly fail: (error: unknown) => void;
}

export interface PoolThreadOptions {
  readonly maxHeapMb: number;
  /** Called when it has done what it was given. */
  readonly onFree: (thread: PoolThread) => void;
  /** Called once, when it has ended, by whatever cause. */
  readonly onEnd: (thread: PoolThread) => void;
}

/**
 * One thread of the pool, which does one piece of work after the other. It keeps the process alive
 * only while it works. Ending it is the only way to stop what it does.
 */
export class PoolThread {
  private readonly worker: Worker;
  private job: Job | undefined;
  private hasAnswered = false;
  private error: unknown;
  /** Of a monotonic clock; set by the pool. */
  idleSinceMs = 0;

  constructor(private readonly options: PoolThreadOptions) {
    const file = threadFile('cpu', import.meta.url);
    this.worker = new Worker(file, {
      name: 'cpu',
      resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb },
      execArgv: threadExecArgv(file),
    });
    this.worker.on('message', (message: DoneMessage) => this.done(message));
    this.worker.on('error', (error: unknown) => (this.error = error));
    this.worker.once('exit', () => this.ended());
  }

  /** Whether it has not yet come to its first answer. */
  get isStarting(): boolean {
    return !this.hasAnswered;
  }

  run(job: Job): void {
    this.job = job;
    this.worker.ref();
    try {
      this.worker.postMessage(job.message, [...job.transfer]);
    } catch (error) {
      // An input that cannot be cloned.
      this.job = undefined;
      this.worker.unref();
      job.fail(new WorkerTaskFailedError(job.task, toError(error)));
      this.options.onFree(this);
    }
  }

  /** Ends the thread, in the middle of whatever it does. */
  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private done(message: DoneMessage): void {
    const { job } = this;
    this.hasAnswered = true;
    this.job = undefined;
    this.worker.unref();
    if (job !== undefined) {
      if ('failure' in message) {
        const error = Object.assign(new Error(message.failure.message), message.failure);
        job.fail(new WorkerTaskFailedError(job.task, error));
      } else job.succeed(message.output, message.runMs);
    }
    this.options.onFree(this);
  }

  private ended(): void {
    const { job } = this;
    this.job = undefined;
    job?.fail(new WorkerCrashedError(job.task, this.error));
    this.options.onEnd(this);
  }
}

function toError(thrown: unknown): Error {
  return isError(thrown) ? thrown : new Error(String(thrown));
}
