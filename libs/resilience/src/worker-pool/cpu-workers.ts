import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, DeadlineExceededError } from '#libs/core';
import { Metrics } from '#libs/metrics';
import { remainingMs } from '../deadline/deadline.js';
import type { CpuTask } from './cpu-task.js';
import { type RunOptions, WorkerPool } from './worker-pool.js';
import { workerSettings, type WorkerSettings } from './worker-pool.settings.js';
import { WorkerMetrics } from './worker-metrics.js';

export interface CpuRunOptions extends Omit<RunOptions, 'makeTimeoutError'> {
  /** Whether it goes on when the request at hand has no time left, as what nobody waits for does. */
  readonly ignoresDeadline?: boolean;
}

/** Does CPU work in threads, so that the event loop turns meanwhile. */
@Injectable()
export class CpuWorkers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pool: WorkerPool;
  /** Of one thread more, for work that takes seconds. */
  private readonly long: WorkerPool;

  constructor(store: SettingsStore, clock: Clock, metrics: Metrics) {
    const counts = new WorkerMetrics(metrics.registry);
    const onDone = counts.done.bind(counts);
    const limits = (): WorkerSettings => store.get(workerSettings);
    this.pool = new WorkerPool({ clock, limits, onDone });
    this.long = new WorkerPool({
      clock,
      limits: () => ({ ...limits(), minThreads: 0, maxThreads: 1 }),
      onDone,
    });
    counts.watch({ short: this.pool, long: this.long });
  }

  /**
   * Has a piece of work done, within the time that the request at hand has left.
   *
   * @throws WorkerQueueFullError, DeadlineExceededError, WorkerTaskFailedError and others of
   * errors/worker.errors.ts
   */
  run<Input, Output>(
    task: CpuTask<Input, Output>,
    input: Input,
    { ignoresDeadline, ...options }: CpuRunOptions = {},
  ): Promise<Output> {
    const pool = task.isLong ? this.long : this.pool;
    const leftMs = ignoresDeadline === true ? undefined : remainingMs();
    if (leftMs === undefined || (options.timeoutMs ?? Infinity) < leftMs) {
      return pool.run(task, input, options);
    }
    const makeTimeoutError = (): Error => new DeadlineExceededError(`the work "${task.name}"`);
    if (leftMs === 0) return Promise.reject(makeTimeoutError());
    return pool.run(task, input, { ...options, timeoutMs: leftMs, makeTimeoutError });
  }

  onApplicationBootstrap(): void {
    this.pool.start();
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([this.pool.close(), this.long.close()]);
  }
}
