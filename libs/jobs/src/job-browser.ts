import { JobNotFinishedError, JobNotFoundError } from './errors/job-errors.js';
import type { BullJob } from './backend/job-backend.js';
import type { JobQueues } from './job-queues.js';
import type { JobRegistry } from './job-registry.js';
import type { JobSchedules } from './job-schedules.js';
import type { Recurrence } from './schedule.js';

export const JOB_STATES = ['active', 'waiting', 'delayed', 'failed', 'completed'] as const;
export type JobState = (typeof JOB_STATES)[number];

/** A stored job as people see it. */
export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly queue: string;
  readonly state: JobState;
  /** Runs so far. */
  readonly attempts: number;
  readonly maxAttempts: number;
  readonly progress: unknown;
  readonly failedReason: string | null;
  readonly enqueuedAt: Date;
  /** When it starts at the earliest; null unless it is delayed. */
  readonly dueAt: Date | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  /** Id of the schedule that made it. */
  readonly scheduleId: string | null;
  /** Id of the request that enqueued it. */
  readonly requestId: string | null;
}

export interface JobDetails extends JobView {
  readonly payload: unknown;
  readonly result: unknown;
  readonly stack: readonly string[];
}

export interface ScheduleView {
  readonly id: string;
  readonly job: string;
  readonly queue: string;
  readonly recurrence: Recurrence;
  readonly nextRunAt: Date | null;
  /** Runs that it has started so far. */
  readonly runs: number;
  readonly declared: boolean;
}

/** Where a listing goes on: the place in the order of queues and states, and the offset there. */
export type JobListPosition = readonly [bucket: number, offset: number];

export interface JobListFilter {
  readonly state?: JobState | undefined;
  readonly name?: string | undefined;
}

export interface JobListing {
  readonly items: readonly JobView[];
  /** Null at the end. */
  readonly next: JobListPosition | null;
}

/** In BullMQ a waiting job with a priority is in a state of its own. */
const BULL_STATES = {
  active: ['active'],
  waiting: ['waiting', 'prioritized'],
  delayed: ['delayed'],
  failed: ['failed'],
  completed: ['completed'],
} as const;

/** A page with a filter that matches little ends after so many jobs, with a cursor to go on. */
const MOST_LOOKED_AT = 1_000;

/** Shows what is in the store, and runs finished jobs again. */
export class JobBrowser {
  constructor(
    private readonly queues: JobQueues,
    private readonly registry: JobRegistry,
    private readonly schedules: JobSchedules,
  ) {}

  /**
   * Jobs by state, the latest of each state first. Jobs move while one turns the pages, so a job
   * may be seen twice or not at all.
   */
  async list(
    filter: JobListFilter,
    limit: number,
    from: JobListPosition = [0, 0],
  ): Promise<JobListing> {
    const buckets = this.bucketsOf(filter);
    const items: JobView[] = [];
    let [bucket, offset] = from;
    let left = MOST_LOOKED_AT;
    while (bucket < buckets.length && items.length < limit && left > 0) {
      const { queue, state, bullState } = buckets[bucket] as Bucket;
      const wanted = Math.min(limit - items.length, left);
      const jobs = await this.queues.use(queue, (bull) =>
        bull.getJobs([bullState], offset, offset + wanted - 1),
      );
      left -= Math.max(jobs.length, 1);
      for (const job of jobs) {
        if (filter.name === undefined || job.name === filter.name) items.push(viewOf(job, state));
      }
      if (jobs.length < wanted) [bucket, offset] = [bucket + 1, 0];
      else offset += jobs.length;
    }
    return { items, next: bucket < buckets.length ? [bucket, offset] : null };
  }

  /** @throws JobNotFoundError */
  async get(id: string): Promise<JobDetails> {
    const { job, state } = await this.find(id);
    return {
      ...viewOf(job, state),
      payload: job.data.payload ?? null,
      result: job.returnvalue ?? null,
      stack: job.stacktrace ?? [],
    };
  }

  /**
   * Puts a failed or completed job back into its queue with all its attempts.
   * @throws JobNotFoundError, JobNotFinishedError
   */
  async retry(id: string): Promise<void> {
    const { job, state } = await this.find(id);
    if (state !== 'failed' && state !== 'completed') throw new JobNotFinishedError(id, state);
    await this.queues.withStore(() =>
      job.retry(state, { resetAttemptsMade: true, resetAttemptsStarted: true }),
    );
  }

  async listSchedules(): Promise<ScheduleView[]> {
    return (await this.schedules.list()).map((stored) => ({
      id: stored.key,
      job: stored.name,
      queue: stored.queue,
      recurrence:
        stored.every === undefined
          ? { pattern: stored.pattern ?? '', timezone: stored.tz ?? 'UTC' }
          : { everyMs: stored.every },
      nextRunAt: dateOf(stored.next),
      runs: stored.iterationCount ?? 0,
      declared: stored.template?.data?.schedule === 'declared',
    }));
  }

  private async find(id: string): Promise<{ job: BullJob; state: JobState }> {
    for (const name of this.registry.queues.keys()) {
      const found = await this.queues.use(name, async (queue) => {
        const job = await queue.getJob(id);
        if (job === undefined) return undefined;
        const state = stateOf(await job.getState());
        const hasEnded = state === 'completed' || state === 'failed';
        // It ended between the two: what it was read as lacks its result.
        const isOutdated = hasEnded && job.finishedOn === undefined;
        return { job: (isOutdated ? await queue.getJob(id) : job) ?? job, state };
      });
      if (found?.state !== undefined) return { job: found.job, state: found.state };
    }
    throw new JobNotFoundError(id);
  }

  private bucketsOf({ state, name }: JobListFilter): Bucket[] {
    const queue = name === undefined ? undefined : this.registry.find(name)?.queue;
    const queues = queue === undefined ? [...this.registry.queues.keys()] : [queue];
    const states = state === undefined ? JOB_STATES : [state];
    return states.flatMap((one) =>
      queues.flatMap((each) =>
        BULL_STATES[one].map((bullState) => ({ queue: each, state: one, bullState })),
      ),
    );
  }
}

interface Bucket {
  readonly queue: string;
  readonly state: JobState;
  readonly bullState: (typeof BULL_STATES)[JobState][number];
}

function viewOf(job: BullJob, state: JobState): JobView {
  return {
    id: job.id ?? '',
    name: job.name,
    queue: job.queueName,
    state,
    attempts: job.attemptsMade,
    maxAttempts: job.opts.attempts ?? 1,
    progress: job.progress,
    failedReason: job.failedReason ?? null,
    enqueuedAt: new Date(job.timestamp),
    dueAt: state === 'delayed' ? dateOf(job.timestamp + job.delay) : null,
    startedAt: dateOf(job.processedOn),
    finishedAt: dateOf(job.finishedOn),
    scheduleId: job.repeatJobKey ?? null,
    requestId: requestIdOf(job.data.context),
  };
}

function requestIdOf(context: object | undefined): string | null {
  return context !== undefined && 'requestId' in context && typeof context.requestId === 'string'
    ? context.requestId
    : null;
}

function stateOf(state: string): JobState | undefined {
  return JOB_STATES.find((one) => (BULL_STATES[one] as readonly string[]).includes(state));
}

function dateOf(ms: number | null | undefined): Date | null {
  return ms === undefined || ms === null ? null : new Date(ms);
}
