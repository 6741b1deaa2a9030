import {
  type BeforeApplicationShutdown,
  Inject,
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
  type OnModuleInit,
  Optional,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks, Clock } from '#libs/core';
import { captureContext, restoreContext, RootLogger, runWithContext } from '#libs/logging';
import { persistenceSettings, redisSettings } from '#libs/persistence';
import { ShutdownSteps } from '#libs/resilience';
import { DataSource } from 'typeorm';
import { createJobBackend } from './backend/create-job-backend.js';
import { aborted, pause } from './deadline.js';
import { JobBoard } from './board/job-board.js';
import { JobBrowser } from './job-browser.js';
import { JobQueue } from './job-queue.js';
import { JobQueues } from './job-queues.js';
import { JobRegistry } from './job-registry.js';
import { JobRunner } from './job-runner.js';
import { JobSchedules } from './job-schedules.js';
import { JobWorkers } from './job-workers.js';
import { JobExplorer } from './job.explorer.js';
import { JobsHealth } from './jobs-health.js';
import { jobsSettings } from './jobs.settings.js';

export interface JobsRootOptions {
  /** Whether this process runs jobs. Default: the setting `jobs.inProcess`. */
  readonly workers?: boolean;
  /**
   * Route that takes `{email, password}` and answers `{accessToken}`, for the sign-in page of the
   * job board. Without it the board has none.
   */
  readonly loginPath?: string;
  /** How long after the start of the application the store is opened. Default 250. */
  readonly startDelayMs?: number;
}

export const JOBS_ROOT_OPTIONS = Symbol('JobsRootOptions');

/**
 * BullMQ takes 120 ms of CPU to load. The application listens before that, unless somebody
 * enqueues a job earlier, which opens the store at once.
 */
const START_DELAY_MS = 250;

/** Puts the parts together as the settings say, starts them and stops them. */
@Injectable()
export class JobsRuntime
  implements OnModuleInit, OnApplicationBootstrap, BeforeApplicationShutdown, OnApplicationShutdown
{
  readonly queues: JobQueues;
  readonly queue: JobQueue;
  readonly browser: JobBrowser;
  readonly health: JobsHealth;
  readonly board: JobBoard;
  private readonly schedules: JobSchedules;
  private readonly workers: JobWorkers | null;
  private readonly background: BackgroundTasks;
  private readonly stopping = new AbortController();

  constructor(
    @Inject(JOBS_ROOT_OPTIONS) private readonly options: JobsRootOptions,
    private readonly explorer: JobExplorer,
    registry: JobRegistry,
    store: SettingsStore,
    clock: Clock,
    root: RootLogger,
    dataSource: DataSource,
    // Without it the workers stop by the hooks of the module alone.
    @Optional() @Inject(ShutdownSteps) steps: ShutdownSteps | undefined,
  ) {
    const settings = store.get(jobsSettings);
    const log = root.module('jobs');
    const backend = createJobBackend({
      settings,
      redis: store.get(redisSettings),
      dataSource,
      migrate: store.get(persistenceSettings).migrateOnStart,
      onError: (error) => this.queues.outage.report(error),
    });
    this.background = new BackgroundTasks((err) => log.error('Jobs did not start', { err }));
    this.queues = new JobQueues(backend, {
      operationTimeoutMs: settings.operationTimeoutMs,
      log,
      clock,
    });
    this.schedules = new JobSchedules(this.queues, registry, log);
    this.queue = new JobQueue({
      queues: this.queues,
      registry,
      schedules: this.schedules,
      maxPayloadBytes: settings.maxPayloadBytes,
      captureContext,
    });
    this.browser = new JobBrowser(this.queues, registry, this.schedules);
    this.board = new JobBoard(this.queues, registry);
    this.health = new JobsHealth({
      queues: this.queues,
      registry,
      serving: () => this.workers?.serving ?? [],
      timeoutMs: settings.healthTimeoutMs,
    });
    const runner = new JobRunner(registry, {
      timeoutMs: settings.timeoutMs,
      abortGraceMs: settings.abortGraceMs,
      log,
      inContext: (stored, jobId, work) => runWithContext(restoreContext(stored, { jobId }), work),
    });
    this.workers =
      (options.workers ?? settings.inProcess)
        ? new JobWorkers(this.queues, registry, runner, {
            concurrency: settings.concurrency,
            tuning: settings,
            shutdownDeadlineMs: settings.shutdownDeadlineMs,
            abortGraceMs: settings.abortGraceMs,
            log,
            clock,
          })
        : null;
    const { workers } = this;
    if (workers !== null) {
      steps?.add('work', 'jobs', async () => {
        this.stopping.abort();
        return { ...(await workers.stop()) };
      });
    }
  }

  async onModuleInit(): Promise<void> {
    await this.explorer.explore();
  }

  onApplicationBootstrap(): void {
    this.background.run(() => this.start());
  }

  /** Before the HTTP server closes, so that what it still answers can enqueue. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.workers?.stop();
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    await this.workers?.stop();
    await this.queues.close();
    await this.background.drain();
  }

  private async start(): Promise<void> {
    const { signal } = this.stopping;
    // A process without workers opens the store when somebody first needs it.
    if (this.workers === null) return;
    await pause(this.options.startDelayMs ?? START_DELAY_MS, signal);
    if (signal.aborted) return;
    await Promise.race([this.queues.start(), aborted(signal)]);
    if (signal.aborted) return;
    this.workers.start();
    await this.schedules.reconcileUntilDone(signal);
  }
}
