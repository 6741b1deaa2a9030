import { messageOf } from '#libs/core';
import type { JobSchedulerJson, RepeatOptions } from 'bullmq';
import type { BullQueue } from './backend/job-backend.js';
import { pause } from './deadline.js';
import type { JobDefinition } from './job-definition.js';
import type { JobEnvelope } from './job-envelope.js';
import type { JobLog } from './job-log.js';
import { jobOptions } from './job-options.js';
import type { JobQueues } from './job-queues.js';
import type { JobRegistry } from './job-registry.js';
import type { Recurrence } from './schedule.js';

/** What BullMQ says when another process stores the same schedule in the same instant. */
const STORED_MEANWHILE = /job ID already exists/;
const FIRST_RETRY_MS = 1_000;
const LONGEST_RETRY_MS = 60_000;

/** What stands in the store for one schedule. */
export interface StoredSchedule {
  readonly id: string;
  readonly job: JobDefinition;
  readonly recurrence: Recurrence;
  readonly payload: unknown;
  readonly origin: 'declared' | 'dynamic';
}

/** Keeps the schedulers in the store like the schedules that the code declares. */
export class JobSchedules {
  constructor(
    private readonly queues: JobQueues,
    private readonly registry: JobRegistry,
    private readonly log: JobLog,
  ) {}

  /** Reconciles, again and again until it succeeds or `signal` aborts. */
  async reconcileUntilDone(signal: AbortSignal): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !signal.aborted;) {
      try {
        await this.reconcile();
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.log.error('The schedules of jobs could not be stored; trying again', { err: error });
        await pause(delayMs, signal);
        delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS);
      }
    }
  }

  /**
   * Stores every declared schedule and removes those that were declared once and no longer are.
   * Storing one that is there already keeps its next time and repairs a broken chain.
   */
  async reconcile(): Promise<void> {
    const declared = this.registry.schedules;
    const failures: unknown[] = [];
    for (const { id, job, payload, ...recurrence } of declared) {
      await this.put({ id, job, payload, recurrence, origin: 'declared' }).catch((error: unknown) =>
        failures.push(error),
      );
    }
    // One schedule that cannot be stored does not keep the others from it.
    if (failures.length > 0) throw new AggregateError(failures, messageOf(failures[0]));
    const current = [...this.registry.queues.keys()];
    const known = await this.queues.withStore(() => this.queues.backend.knownQueues(current));
    for (const queue of known) {
      const kept = new Set(declared.filter(({ job }) => job.queue === queue).map(({ id }) => id));
      await this.queues.use(queue, (bull) => removeOthers(bull, kept));
    }
  }

  /** Creates or changes one schedule. */
  async put({ id, job, recurrence, payload, origin }: StoredSchedule): Promise<void> {
    const data: JobEnvelope = { payload, schedule: origin };
    const store = (): Promise<unknown> =>
      this.queues.use(job.queue, (queue) =>
        queue.upsertJobScheduler(id, toRepeat(recurrence), {
          name: job.name,
          data,
          opts: jobOptions(job),
        }),
      );
    try {
      await store();
    } catch (error) {
      if (!STORED_MEANWHILE.test(messageOf(error))) throw error;
      await store();
    }
  }

  /** @returns whether there was such a schedule */
  async remove(job: JobDefinition, id: string): Promise<boolean> {
    return this.queues.use(job.queue, (queue) => queue.removeJobScheduler(id));
  }

  /** Every schedule of every queue in use, the next to run first. */
  async list(): Promise<(JobSchedulerJson<JobEnvelope> & { readonly queue: string })[]> {
    const lists = await Promise.all(
      [...this.registry.queues.keys()].map((name) =>
        this.queues.use(name, async (queue) =>
          (await queue.getJobSchedulers(0, -1, true)).map((one) =>
            Object.assign(one, { queue: name }),
          ),
        ),
      ),
    );
    return lists.flat().sort((a, b) => (a.next ?? 0) - (b.next ?? 0));
  }
}

async function removeOthers(queue: BullQueue, kept: ReadonlySet<string>): Promise<void> {
  for (const { key, template } of await queue.getJobSchedulers(0, -1, true)) {
    if (template?.data?.schedule === 'declared' && !kept.has(key))
      await queue.removeJobScheduler(key);
  }
}

function toRepeat(recurrence: Recurrence): Omit<RepeatOptions, 'key'> {
  return recurrence.everyMs === undefined
    ? { pattern: recurrence.pattern, tz: recurrence.timezone ?? 'UTC' }
    : { every: recurrence.everyMs };
}
