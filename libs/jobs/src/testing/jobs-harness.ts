import { SystemClock } from '#libs/core';
import { captureContext, restoreContext, runWithContext } from '#libs/logging';
import type { JobBackend } from '../backend/job-backend.js';
import { JobBrowser } from '../job-browser.js';
import type { JobDefinition, JobPayload } from '../job-definition.js';
import { type JobEvent, jobEvents } from '../job-events.js';
import { JobQueue } from '../job-queue.js';
import { JobQueues } from '../job-queues.js';
import { JobRegistry } from '../job-registry.js';
import type { JobRun } from '../job-run.js';
import { JobRunner } from '../job-runner.js';
import { JobSchedules } from '../job-schedules.js';
import { JobWorkers, type StoppedJobs } from '../job-workers.js';
import { JobsHealth } from '../jobs-health.js';
import type { Schedule } from '../schedule.js';
import type { z } from 'zod';

interface Limits {
  readonly timeoutMs: number;
  readonly abortGraceMs: number;
  readonly shutdownDeadlineMs: number;
  readonly operationTimeoutMs: number;
  readonly maxPayloadBytes: number;
  readonly maxStalledCount: number;
  readonly lockDurationMs: number;
}

const LIMITS: Limits = {
  timeoutMs: 5_000,
  abortGraceMs: 200,
  shutdownDeadlineMs: 2_000,
  operationTimeoutMs: 3_000,
  maxPayloadBytes: 2_048,
  maxStalledCount: 3,
  lockDurationMs: 1_000,
};

/** The jobs of one process without Nest: a fluent builder that cleans up after itself. */
export class JobsHarness {
  readonly registry = new JobRegistry();
  readonly queues: JobQueues;
  readonly queue: JobQueue;
  readonly browser: JobBrowser;
  readonly schedules: JobSchedules;
  readonly health: JobsHealth;
  readonly events: JobEvent[] = [];
  readonly logged: { level: string; message: string; data?: object }[] = [];
  private readonly limits: Limits;
  private readonly runner: JobRunner;
  private workers: JobWorkers | undefined;
  private readonly unsubscribe: () => void;

  constructor(backend: JobBackend, limits: Partial<Limits> = {}) {
    this.limits = { ...LIMITS, ...limits };
    const log = this.log();
    const { registry } = this;
    this.queues = new JobQueues(backend, { ...this.limits, log, clock: new SystemClock() });
    this.schedules = new JobSchedules(this.queues, registry, log);
    this.queue = new JobQueue({
      queues: this.queues,
      registry,
      schedules: this.schedules,
      maxPayloadBytes: this.limits.maxPayloadBytes,
      captureContext,
    });
    this.browser = new JobBrowser(this.queues, registry, this.schedules);
    this.health = new JobsHealth({
      queues: this.queues,
      registry,
      serving: () => this.workers?.serving ?? [],
      timeoutMs: this.limits.operationTimeoutMs,
    });
    this.runner = new JobRunner(registry, {
      ...this.limits,
      log,
      inContext: (stored, jobId, work) => runWithContext(restoreContext(stored, { jobId }), work),
    });
    this.unsubscribe = jobEvents.subscribe((event) => this.events.push(event));
  }

  handle<Schema extends z.ZodType>(
    job: JobDefinition<Schema>,
    handler: (payload: JobPayload<Schema>, run: JobRun) => Promise<unknown>,
  ): this {
    this.registry.addHandler(job, job.name, (payload, run) =>
      handler(payload as JobPayload<Schema>, run),
    );
    return this;
  }

  declareSchedule(job: JobDefinition, schedule: Schedule): this {
    this.registry.addSchedule(job, schedule);
    return this;
  }

  work(): this {
    const { limits } = this;
    this.workers = new JobWorkers(this.queues, this.registry, this.runner, {
      concurrency: 4,
      tuning: { ...limits, stalledIntervalMs: 200, pollIntervalMs: 500 },
      ...limits,
      log: this.log(),
      clock: new SystemClock(),
    });
    this.workers.start();
    return this;
  }

  /** What became of the jobs; undefined when nothing works. */
  async stopWorkers(): Promise<StoppedJobs | undefined> {
    return this.workers?.stop();
  }

  async close(): Promise<void> {
    this.unsubscribe();
    await this.workers?.stop();
    await this.queues.close();
  }

  private log() {
    const at = (level: string) => (message: string, data?: object) => {
      this.logged.push({ level, message, ...(data !== undefined && { data }) });
    };
    return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
  }
}

/** A promise and what settles it, for tests that hold a handler at a point. */
export function gate<Value = void>(): {
  readonly promise: Promise<Value>;
  readonly open: (value: Value) => void;
} {
  let open: (value: Value) => void = () => undefined;
  const promise = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

/** Resolves once `condition` holds; looks every 10 ms. @throws after `timeoutMs` */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  timeoutMs = 10_000,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`Timed out waiting until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
