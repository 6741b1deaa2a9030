import { JobSetupError } from './errors/job-errors.js';
import type { JobDefinition } from './job-definition.js';
import type { JobRun } from './job-run.js';
import { faultsOfSchedule } from './schedule-faults.js';
import type { Schedule } from './schedule.js';

/** A handler as the runner calls it; the payload has been checked. */
export type JobHandlerFunction = (payload: unknown, run: JobRun) => Promise<unknown>;

/** Where a handler stands, for messages: `PurgeExpiredJob.run`. */
interface Handler {
  readonly where: string;
  readonly handle: JobHandlerFunction;
}

/** A schedule with its defaults filled in. */
export type DeclaredSchedule = Schedule & {
  readonly id: string;
  readonly payload: unknown;
  readonly job: JobDefinition;
};

/** Every job of the application with its handler and its schedules. */
export class JobRegistry {
  private readonly definitions = new Map<string, JobDefinition>();
  private readonly handlers = new Map<string, Handler[]>();
  private readonly declaredSchedules: DeclaredSchedule[] = [];
  private readonly problems: string[] = [];

  /** Makes a job known. The same definition may come many times. */
  declare(job: JobDefinition): void {
    const known = this.definitions.get(job.name);
    if (known !== undefined && known !== job) {
      this.problems.push(
        `Two jobs are called "${job.name}". Rename one, or export one definition and use it in both places.`,
      );
      return;
    }
    this.definitions.set(job.name, job);
  }

  addHandler(job: JobDefinition, where: string, handle: JobHandlerFunction): void {
    this.declare(job);
    const handlers = this.handlers.get(job.name) ?? [];
    this.handlers.set(job.name, [...handlers, { where, handle }]);
  }

  addSchedule(job: JobDefinition, schedule: Schedule): void {
    this.declare(job);
    const declared = { payload: {}, id: job.name, ...schedule, job };
    if (this.declaredSchedules.some(({ id }) => id === declared.id)) {
      this.problems.push(
        `Two schedules are called "${declared.id}". Give each an id of its own: @Scheduled({ id: … }).`,
      );
    }
    this.declaredSchedules.push(declared);
  }

  addProblem(problem: string): void {
    this.problems.push(problem);
  }

  /** @throws JobSetupError unless jobs, handlers, queues and schedules fit together */
  async verify(): Promise<void> {
    const problems = [...this.problems];
    for (const { name } of this.definitions.values()) {
      const handlers = this.handlers.get(name) ?? [];
      if (handlers.length === 0) {
        problems.push(
          `Job "${name}" has no handler. Put @JobHandler(…) with its definition on a method of a provider, and list that provider in a module of this application.`,
        );
      } else if (handlers.length > 1) {
        const places = handlers.map(({ where }) => where).join(' and ');
        problems.push(
          `Job "${name}" has ${handlers.length} handlers: ${places}. Remove all but one, or define a second job for the other.`,
        );
      }
    }
    problems.push(...this.queueConflicts());
    for (const { id, job, payload, ...recurrence } of this.declaredSchedules) {
      const faults = await faultsOfSchedule(job, recurrence, payload);
      problems.push(...faults.map((fault) => `Schedule "${id}" of job "${job.name}": ${fault}`));
    }
    if (problems.length > 0) throw new JobSetupError([...new Set(problems)]);
  }

  find(name: string): JobDefinition | undefined {
    return this.definitions.get(name);
  }

  handlerOf(name: string): JobHandlerFunction | undefined {
    return this.handlers.get(name)?.[0]?.handle;
  }

  get schedules(): readonly DeclaredSchedule[] {
    return this.declaredSchedules;
  }

  get jobs(): readonly JobDefinition[] {
    return [...this.definitions.values()];
  }

  /** The queues in use, each with the concurrency that its jobs declare. */
  get queues(): ReadonlyMap<string, number | undefined> {
    const queues = new Map<string, number | undefined>();
    for (const { queue, concurrency } of this.definitions.values()) {
      queues.set(queue, concurrency ?? queues.get(queue));
    }
    return queues;
  }

  private queueConflicts(): string[] {
    const limits = new Map<string, JobDefinition>();
    const conflicts: string[] = [];
    for (const job of this.definitions.values()) {
      if (job.concurrency === undefined) continue;
      const other = limits.get(job.queue);
      if (other === undefined) limits.set(job.queue, job);
      else if (other.concurrency !== job.concurrency) {
        conflicts.push(
          `Jobs "${other.name}" and "${job.name}" share the queue "${job.queue}" but not its concurrency (${other.concurrency} and ${job.concurrency}). Make them equal, or give one a queue of its own.`,
        );
      }
    }
    return conflicts;
  }
}
