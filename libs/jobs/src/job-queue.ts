import { newId } from '#libs/core';
import {
  JobNotDeclaredError,
  JobPayloadTooLargeError,
  JobScheduleInvalidError,
} from './errors/job-errors.js';
import type { JobDefinition, JobInput } from './job-definition.js';
import type { JobEnvelope } from './job-envelope.js';
import { jobEvents } from './job-events.js';
import { jobOptions } from './job-options.js';
import type { JobQueues } from './job-queues.js';
import type { JobRegistry } from './job-registry.js';
import { checkedPayload } from './job-runner.js';
import type { JobSchedules } from './job-schedules.js';
import { faultsOfSchedule } from './schedule-faults.js';
import type { Schedule } from './schedule.js';
import type { z } from 'zod';

export interface EnqueueOptions {
  /** Starts no earlier than this long from now. */
  readonly delayMs?: number;
  /** 1 is the most urgent, 2,097,152 the least; jobs without one come first of all. */
  readonly priority?: number;
  /**
   * Names the work: while a job with this key waits or runs, enqueueing another gives the id of
   * that one and adds nothing.
   */
  readonly deduplicationKey?: string;
}

export interface EnqueuedJob {
  readonly id: string;
}

export interface JobQueueParts {
  readonly queues: JobQueues;
  readonly registry: JobRegistry;
  readonly schedules: JobSchedules;
  readonly maxPayloadBytes: number;
  /** What to carry of the request at hand into the job. */
  readonly captureContext: () => JobEnvelope['context'];
}

/**
 * Enqueues jobs and schedules them at run time. A job that was enqueued survives the end of any
 * process, and runs at least once.
 */
export class JobQueue {
  constructor(private readonly parts: JobQueueParts) {}

  /**
   * Stores a job to be run by a worker.
   * @throws JobPayloadInvalidError when the payload does not fit the job's schema
   * @throws JobPayloadTooLargeError when it is larger than `jobs.maxPayloadBytes`
   * @throws JobsUnavailableError when the job store does not answer in time; the job may have
   *   been stored all the same
   */
  async enqueue<Schema extends z.ZodType>(
    job: JobDefinition<Schema>,
    payload: JobInput<Schema>,
    options: EnqueueOptions = {},
  ): Promise<EnqueuedJob> {
    this.requireDeclared(job);
    const data = this.envelope(job, payload);
    const id = newId();
    const { delayMs, priority, deduplicationKey } = options;
    const stored = await this.parts.queues.use(job.queue, (queue) =>
      queue.add(job.name, data, {
        ...jobOptions(job),
        jobId: id,
        ...(delayMs !== undefined && { delay: delayMs }),
        ...(priority !== undefined && { priority }),
        ...(deduplicationKey !== undefined && { deduplication: { id: deduplicationKey } }),
      }),
    );
    if (stored.id === id) {
      jobEvents.publish(() => ({ type: 'enqueued', job: job.name, queue: job.queue, id }));
    }
    return { id: stored.id ?? id };
  }

  /** Stores many jobs of one kind at once, all or none. Throws as `enqueue`. */
  async enqueueMany<Schema extends z.ZodType>(
    job: JobDefinition<Schema>,
    payloads: readonly JobInput<Schema>[],
    options: Omit<EnqueueOptions, 'deduplicationKey'> = {},
  ): Promise<EnqueuedJob[]> {
    this.requireDeclared(job);
    const { delayMs, priority } = options;
    const entries = payloads.map((payload) => ({
      name: job.name,
      data: this.envelope(job, payload),
      opts: {
        ...jobOptions(job),
        jobId: newId(),
        ...(delayMs !== undefined && { delay: delayMs }),
        ...(priority !== undefined && { priority }),
      },
    }));
    if (entries.length > 0) {
      await this.parts.queues.use(job.queue, (queue) => queue.addBulk(entries));
    }
    return entries.map(({ opts: { jobId: id } }) => {
      jobEvents.publish(() => ({ type: 'enqueued', job: job.name, queue: job.queue, id }));
      return { id };
    });
  }

  /**
   * Makes a job run on a schedule from now on, across restarts, until `unschedule`. The same id
   * changes that schedule. Schedules that code knows beforehand are declared with `@Scheduled`.
   * @throws JobScheduleInvalidError, JobsUnavailableError
   */
  async schedule<Schema extends z.ZodType>(
    job: JobDefinition<Schema>,
    schedule: Schedule & { readonly id: string; readonly payload: JobInput<Schema> },
  ): Promise<void> {
    this.requireDeclared(job);
    const { id, payload, ...recurrence } = schedule;
    const faults = await faultsOfSchedule(job, recurrence, payload);
    if (faults.length > 0) throw new JobScheduleInvalidError(id, faults);
    await this.parts.schedules.put({ id, job, payload, recurrence, origin: 'dynamic' });
  }

  /** Ends a schedule. @returns whether there was one */
  unschedule(job: JobDefinition, id: string): Promise<boolean> {
    return this.parts.schedules.remove(job, id);
  }

  private requireDeclared(job: JobDefinition): void {
    if (this.parts.registry.find(job.name) !== job) throw new JobNotDeclaredError(job.name);
  }

  private envelope(job: JobDefinition, payload: unknown): JobEnvelope {
    checkedPayload(job, payload);
    const { maxPayloadBytes, captureContext } = this.parts;
    const bytes = Buffer.byteLength(JSON.stringify(payload) ?? '');
    if (bytes > maxPayloadBytes)
      throw new JobPayloadTooLargeError(job.name, bytes, maxPayloadBytes);
    const context = captureContext();
    return { payload, ...(context !== undefined && { context }) };
  }
}
