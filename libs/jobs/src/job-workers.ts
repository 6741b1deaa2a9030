import { type Clock, PantheonError } from '#libs/core';
import type { BullJob, BullWorker, WorkerTuning } from './backend/job-backend.js';
import { aborted, pause } from './deadline.js';
import { jobEvents } from './job-events.js';
import type { JobLog } from './job-log.js';
import type { JobQueues } from './job-queues.js';
import type { JobRegistry } from './job-registry.js';
import type { JobRunner } from './job-runner.js';

export interface JobWorkersOptions {
  /** Of queues whose jobs do not say. */
  readonly concurrency: number;
  readonly tuning: Omit<WorkerTuning, 'concurrency'>;
  /** How long running jobs may go on at shutdown before they are aborted. */
  readonly shutdownDeadlineMs: number;
  readonly abortGraceMs: number;
  readonly log: JobLog;
  readonly clock: Clock;
}

/** What became of the jobs that ran when the workers were told to stop. */
export interface StoppedJobs {
  readonly running: number;
  readonly finished: number;
  /** Aborted at the deadline; they run again. */
  readonly aborted: number;
  /** Did not end although they were aborted; they run again when their lock is over. */
  readonly abandoned: number;
}

const REOPEN_DELAY_MS = 1_000;
/** Time for the last words to the store, such as that an aborted job goes back to its queue. */
const CLOSE_MS = 1_000;

/**
 * The workers of this process, one for each queue. A worker that cannot start is made anew until
 * it can. Stopping has three steps, each with its end: no new jobs and time for running ones to
 * finish, then their abort, then they are left to other processes.
 */
export class JobWorkers {
  private readonly workers = new Map<string, BullWorker>();
  private readonly stopping = new AbortController();
  private readonly supervisors: Promise<void>[] = [];
  private stopped: Promise<StoppedJobs> | undefined;

  constructor(
    private readonly queues: JobQueues,
    private readonly registry: JobRegistry,
    private readonly runner: JobRunner,
    private readonly options: JobWorkersOptions,
  ) {}

  /** Starts a worker for every queue; those of a store that is down start once it is back. */
  start(): void {
    for (const [queue, concurrency] of this.registry.queues) {
      this.supervisors.push(this.supervise(queue, concurrency ?? this.options.concurrency));
    }
  }

  /** Names of the queues whose jobs this process runs at present. */
  get serving(): readonly string[] {
    return [...this.workers].filter(([, worker]) => worker.isRunning()).map(([queue]) => queue);
  }

  /** Ends all work as described above, and tells what became of the jobs. May be called twice. */
  stop(): Promise<StoppedJobs> {
    this.stopped ??= this.stopInSteps();
    return this.stopped;
  }

  private async stopInSteps(): Promise<StoppedJobs> {
    const running = this.runner.active.size;
    const aborted = await this.endWork();
    const abandoned = this.runner.active.size;
    return { running, finished: running - aborted, aborted: aborted - abandoned, abandoned };
  }

  /** Resolves with the number of jobs that had to be aborted. */
  private async endWork(): Promise<number> {
    this.stopping.abort();
    const ended = Promise.allSettled([
      ...[...this.workers.values()].map((worker) => worker.close()),
      ...this.supervisors,
    ]).then(() => true);
    const { shutdownDeadlineMs, abortGraceMs, log } = this.options;
    const firstStepMs = this.runner.active.size > 0 ? shutdownDeadlineMs : CLOSE_MS;
    if (await endsWithin(firstStepMs, ended)) return 0;
    const overdue = this.runner.active.size;
    if (overdue === 0) {
      log.warn('The job store does not answer; the workers end without it');
      return 0;
    }
    log.warn('Jobs still run at the shutdown deadline and are aborted', {
      jobs: [...this.runner.active.values()],
    });
    this.runner.interruptAll();
    if (await endsWithin(abortGraceMs + CLOSE_MS, ended)) return overdue;
    log.error('Workers did not end in time; their jobs run again elsewhere', {
      code: 'JOBS_ABANDONED',
      jobs: [...this.runner.active.values()],
    });
    return overdue;
  }

  private async supervise(queue: string, concurrency: number): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const failure = await this.serve(queue, concurrency).catch((error: unknown) => error);
      if (signal.aborted) return;
      this.queues.outage.report(failure ?? new Error(`The worker of queue "${queue}" ended.`));
      await pause(REOPEN_DELAY_MS, signal);
    }
  }

  /** Runs a worker until it is closed. @throws when it cannot start */
  private async serve(queue: string, concurrency: number): Promise<void> {
    await Promise.race([this.queues.start(), aborted(this.stopping.signal)]);
    if (this.stopping.signal.aborted) return;
    const worker = this.queues.backend.createWorker(
      queue,
      (job, token) => this.runner.run(job, token),
      { ...this.options.tuning, concurrency },
    );
    this.listen(worker, queue);
    this.workers.set(queue, worker);
    try {
      await worker.waitUntilReady();
      this.queues.outage.over();
      await worker.run();
    } finally {
      this.workers.delete(queue);
      await worker.close(true).catch((error: unknown) => this.queues.outage.report(error));
    }
  }

  private listen(worker: BullWorker, queue: string): void {
    worker.on('error', (error) => {
      if (!this.stopping.signal.aborted) this.queues.outage.report(error);
    });
    worker.on('completed', (job) => {
      jobEvents.publish(() => ({ type: 'completed', ...this.finished(job, queue) }));
      this.options.log.debug(`Job "${job.name}" completed`, { jobId: job.id, queue });
    });
    worker.on('failed', (job, error) => {
      if (job === undefined) return;
      jobEvents.publish(() => ({
        type: 'failed',
        ...this.finished(job, queue),
        code: codeOf(error),
        willRetry: job.finishedOn === undefined,
      }));
    });
    worker.on('stalled', (id) => {
      this.options.log.warn('A job is taken over from a process that died', { jobId: id, queue });
      jobEvents.publish(() => ({ type: 'stalled', job: '', queue, id }));
    });
  }

  private finished(job: BullJob, queue: string) {
    const startedMs = job.processedOn ?? job.timestamp;
    const endedMs = job.finishedOn ?? this.options.clock.nowMs();
    return {
      job: job.name,
      queue,
      id: job.id ?? '',
      attempt: job.attemptsMade,
      durationMs: Math.max(0, endedMs - startedMs),
      waitMs:
        job.attemptsMade > 1
          ? null
          : Math.max(0, startedMs - job.timestamp - (job.opts.delay ?? 0)),
    };
  }
}

async function endsWithin(ms: number, ended: Promise<boolean>): Promise<boolean> {
  const cancel = new AbortController();
  const result = await Promise.race([ended, pause(ms, cancel.signal).then(() => false)]);
  cancel.abort();
  return result;
}

function codeOf(error: Error): string {
  const source = error instanceof PantheonError ? error : error.cause;
  return source instanceof PantheonError ? source.code : 'INTERNAL';
}
