import { type Fault, isError, PantheonError } from '#libs/core';
import type { BullJob } from './backend/job-backend.js';
import {
  JobInterruptedError,
  JobPayloadInvalidError,
  JobTimeoutError,
  JobUnknownError,
} from './errors/job-errors.js';
import type { JobDefinition } from './job-definition.js';
import type { JobLog } from './job-log.js';
import type { JobRegistry } from './job-registry.js';
import type { JobRun } from './job-run.js';

export interface JobRunnerOptions {
  readonly timeoutMs: number;
  /** How long an aborted run may take to end before it is given up. */
  readonly abortGraceMs: number;
  readonly log: JobLog;
  /** Runs `work` in the context that was stored when the job was enqueued. */
  readonly inContext: (
    stored: unknown,
    jobId: string,
    work: () => Promise<unknown>,
  ) => Promise<unknown>;
}

interface RunningJob {
  readonly name: string;
  readonly abort: (reason: Error) => void;
}

/** Runs handlers: checks the payload, limits the time, and stops runs when the process stops. */
export class JobRunner {
  private readonly running = new Map<string, RunningJob>();
  private stopping = false;

  constructor(
    private readonly registry: JobRegistry,
    private readonly options: JobRunnerOptions,
  ) {}

  /** Ids of the jobs that run now, with their names. */
  get active(): ReadonlyMap<string, string> {
    return new Map([...this.running].map(([id, { name }]) => [id, name]));
  }

  /** Tells every run to end because the process stops. Those that do go back to their queue. */
  interruptAll(): void {
    this.stopping = true;
    for (const { name, abort } of this.running.values()) abort(new JobInterruptedError(name));
  }

  /** Runs one job as a BullMQ processor: what it throws decides what becomes of the job. */
  async run(job: BullJob, token?: string): Promise<unknown> {
    const id = job.id ?? '';
    return this.options.inContext(job.data.context, id, async () => {
      try {
        return await this.handle(job, id);
      } catch (error) {
        if (error instanceof JobInterruptedError) return this.giveBack(job, token);
        if (error instanceof GivenUp) await leaveToOthers(error);
        this.options.log.warn(`Job "${job.name}" failed`, {
          err: error,
          queue: job.queueName,
          attempt: job.attemptsMade + 1,
          attempts: job.opts.attempts,
        });
        throw await asStored(error);
      }
    });
  }

  private async handle(job: BullJob, id: string): Promise<unknown> {
    const definition = this.registry.find(job.name);
    const handler = this.registry.handlerOf(job.name);
    if (definition === undefined || handler === undefined) throw new JobUnknownError(job.name);
    const payload = checkedPayload(definition, job.data.payload);
    const controller = new AbortController();
    const abort = (reason: Error): void => controller.abort(reason);
    const timeoutMs = definition.timeoutMs ?? this.options.timeoutMs;
    const timer = setTimeout(() => abort(new JobTimeoutError(job.name, timeoutMs)), timeoutMs);
    this.running.set(id, { name: job.name, abort });
    if (this.stopping) abort(new JobInterruptedError(job.name));
    try {
      return await this.untilGivenUp(job, controller.signal, () =>
        handler(payload, runOf(job, id, controller.signal)),
      );
    } finally {
      clearTimeout(timer);
      this.running.delete(id);
    }
  }

  /** The outcome of `work`, or of its abort once the grace after that is over. */
  private async untilGivenUp(
    job: BullJob,
    signal: AbortSignal,
    work: () => Promise<unknown>,
  ): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const givenUp = new Promise<never>((_, reject) => {
      const giveUpSoon = (): void => {
        timer = setTimeout(() => {
          this.options.log.error(`Job "${job.name}" does not end although its signal has aborted`, {
            code: 'JOB_IGNORES_SIGNAL',
            queue: job.queueName,
          });
          reject(new GivenUp(signal.reason as Error));
        }, this.options.abortGraceMs);
        timer.unref();
      };
      if (signal.aborted) giveUpSoon();
      else signal.addEventListener('abort', giveUpSoon, { once: true });
    });
    try {
      return await Promise.race([work(), givenUp]);
    } catch (error) {
      if (error instanceof GivenUp)
        throw error.reason instanceof JobInterruptedError ? error : error.reason;
      // Whatever a run throws after its abort, the abort is why.
      throw signal.aborted ? (signal.reason as Error) : error;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Puts an interrupted job back, so that it runs again without costing it an attempt. */
  private async giveBack(job: BullJob, token: string | undefined): Promise<never> {
    const { WaitingError } = await import('bullmq');
    await job.moveToWait(token);
    this.options.log.info(`Job "${job.name}" went back to its queue: the process stops`);
    throw new WaitingError();
  }
}

/** A run that did not end after its abort. */
class GivenUp extends Error {
  constructor(readonly reason: Error) {
    super(reason.message);
  }
}

/**
 * Ends a run that still goes on while the process stops, without touching its job: its lock runs
 * out with the process, and then another takes it over. Putting it back would let it run twice
 * at the same time.
 */
async function leaveToOthers(error: GivenUp): Promise<never> {
  const { WaitingError } = await import('bullmq');
  throw Object.assign(new WaitingError(), { cause: error });
}

function runOf(job: BullJob, id: string, signal: AbortSignal): JobRun {
  return {
    id,
    name: job.name,
    attempt: job.attemptsMade + 1,
    signal,
    reportProgress: (progress) => job.updateProgress(progress),
  };
}

/** The payload as its schema makes it. @throws JobPayloadInvalidError */
export function checkedPayload(definition: JobDefinition, payload: unknown): unknown {
  const result = definition.schema.safeParse(payload);
  if (result.success) return result.data;
  const faults = result.error.issues.map<Fault>(({ path, code, message }) => ({
    path: ['payload', ...path].map(String).join('.'),
    code,
    message,
  }));
  throw new JobPayloadInvalidError(definition.name, faults);
}

/**
 * An error as it is stored with its job, of which only message and stack remain: one of ours
 * tells its code. A payload that does not fit will not fit the next time either.
 */
async function asStored(error: unknown): Promise<Error> {
  if (!(error instanceof PantheonError)) {
    return isError(error) ? error : new Error(String(error));
  }
  const message = `${error.message} [${error.code}]`;
  const { UnrecoverableError } = await import('bullmq');
  const stored =
    error instanceof JobPayloadInvalidError ? new UnrecoverableError(message) : new Error(message);
  return Object.assign(stored, {
    cause: error,
    ...(error.stack !== undefined && { stack: error.stack }),
  });
}
