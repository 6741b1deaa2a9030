import type { z } from 'zod';

/** How long a failed job waits before its next attempt. */
export interface JobBackoff {
  /** `exponential` doubles `delayMs` with every attempt. */
  readonly type: 'fixed' | 'exponential';
  readonly delayMs: number;
  /** Share of the delay that is drawn at random, 0 to 1, so that retries spread. Default 0. */
  readonly jitter?: number;
}

/** How many finished jobs stay visible, and for how long; whichever limit comes first. */
export interface JobRetention {
  readonly count: number;
  readonly ageSeconds: number;
}

export interface JobOptions<Schema extends z.ZodType> {
  /** Unique in the application, kebab-case. */
  readonly name: string;
  /** The payload is checked against it when the job is enqueued and again when it runs. */
  readonly schema: Schema;
  /** Default: `default`, or a queue of its own, named after the job, when it sets `concurrency`. */
  readonly queue?: string;
  /** Runs in all before the job counts as failed. Default 3. */
  readonly attempts?: number;
  /** Default: exponential from 1 s, with half of it random. */
  readonly backoff?: JobBackoff;
  /** Each run is aborted after this time. Default: the setting `jobs.timeoutMs`. */
  readonly timeoutMs?: number;
  /**
   * Most runs of its queue at once in one process. Jobs that share a queue share this limit.
   * Default: the setting `jobs.concurrency`.
   */
  readonly concurrency?: number;
  /** Default: 1,000 jobs, one day. */
  readonly keepCompleted?: JobRetention;
  /** Default: 1,000 jobs, seven days. */
  readonly keepFailed?: JobRetention;
}

/** A kind of job: what it is called, what it takes, and how it is run. */
export interface JobDefinition<Schema extends z.ZodType = z.ZodType> {
  readonly name: string;
  readonly schema: Schema;
  readonly queue: string;
  readonly attempts: number;
  readonly backoff: JobBackoff;
  readonly timeoutMs: number | undefined;
  readonly concurrency: number | undefined;
  readonly keepCompleted: JobRetention;
  readonly keepFailed: JobRetention;
}

/** What a caller hands to `enqueue`. */
export type JobInput<Schema extends z.ZodType> = z.input<Schema>;

/** What the handler gets. */
export type JobPayload<Schema extends z.ZodType> = z.output<Schema>;

export const DEFAULT_QUEUE = 'default';
const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const DAY_SECONDS = 86_400;
const MAX_ATTEMPTS = 100;

/**
 * Declares a kind of job. Export the result: it is the typed key for `JobQueue.enqueue` and
 * `@JobHandler`.
 * @throws TypeError when the name, queue, attempts or limits make no sense
 */
export function defineJob<Schema extends z.ZodType>(
  options: JobOptions<Schema>,
): JobDefinition<Schema> {
  const definition: JobDefinition<Schema> = {
    name: options.name,
    schema: options.schema,
    queue: options.queue ?? (options.concurrency === undefined ? DEFAULT_QUEUE : options.name),
    attempts: options.attempts ?? 3,
    backoff: options.backoff ?? { type: 'exponential', delayMs: 1_000, jitter: 0.5 },
    timeoutMs: options.timeoutMs,
    concurrency: options.concurrency,
    keepCompleted: options.keepCompleted ?? { count: 1_000, ageSeconds: DAY_SECONDS },
    keepFailed: options.keepFailed ?? { count: 1_000, ageSeconds: 7 * DAY_SECONDS },
  };
  for (const [what, name] of [
    ['name', definition.name],
    ['queue', definition.queue],
  ] as const) {
    if (!NAME.test(name)) {
      throw new TypeError(`The ${what} of job "${definition.name}" must be kebab-case: "${name}".`);
    }
  }
  requireInteger(definition, 'attempts', 1, MAX_ATTEMPTS);
  if (definition.concurrency !== undefined) requireInteger(definition, 'concurrency', 1, 1_000);
  if (definition.timeoutMs !== undefined) requireInteger(definition, 'timeoutMs', 1, 2 ** 31 - 1);
  return Object.freeze(definition);
}

function requireInteger(
  definition: JobDefinition,
  option: 'attempts' | 'concurrency' | 'timeoutMs',
  min: number,
  max: number,
): void {
  const value = definition[option];
  if (!Number.isInteger(value) || value === undefined || value < min || value > max) {
    throw new TypeError(
      `${option} of job "${definition.name}" must be a whole number from ${min} to ${max}, not ${value}.`,
    );
  }
}
