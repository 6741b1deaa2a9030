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
import { workerSettings } from './worker-pool.settings.js';
import { WorkerMetrics } from './worker-metrics.js';

/** Does CPU work in threads, so that the event loop turns meanwhile. */
@Injectable()
export class CpuWorkers implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pool: WorkerPool;

  constructor(store: SettingsStore, clock: Clock, metrics: Metrics) {
    const counts = new WorkerMetrics(metrics.registry);
    this.pool = new WorkerPool({
      clock,
      limits: () => store.get(workerSettings),
      onDone: (report) => counts.done(report),
    });
    counts.watch(this.pool);
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
    options: RunOptions = {},
  ): Promise<Output> {
    const leftMs = remainingMs();
    if (leftMs === undefined || (options.timeoutMs ?? Infinity) < leftMs) {
      return this.pool.run(task, input, options);
    }
    const makeTimeoutError = (): Error => new DeadlineExceededError(`the work "${task.name}"`);
    if (leftMs === 0) return Promise.reject(makeTimeoutError());
    return this.pool.run(task, input, { ...options, timeoutMs: leftMs, makeTimeoutError });
  }

  onApplicationBootstrap(): void {
    this.pool.start();
  }

  onApplicationShutdown(): Promise<void> {
    return this.pool.close();
  }
}
