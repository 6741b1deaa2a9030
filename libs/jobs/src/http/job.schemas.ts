import { pageQuerySchema, pageSchema } from '#libs/http';
import { z } from 'zod';
import { JOB_STATES } from '../job-browser.js';

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const LONGEST_ID = 256;

/** Ids are ours or, of scheduled jobs, made of names: no spaces, no control characters. */
export const jobIdSchema = z
  .string()
  .max(LONGEST_ID)
  .regex(/^[\x21-\x7e]+$/);

export const jobListQuerySchema = pageQuerySchema.extend({
  state: z.enum(JOB_STATES).optional(),
  name: z.string().max(128).regex(NAME, 'must be kebab-case').optional(),
});

/** Where a listing goes on; see `JobListPosition`. */
export const jobCursorSchema = z.tuple([
  z.number().int().min(0).max(10_000),
  z.number().int().min(0).max(10_000_000),
]);

const time = z.iso.datetime();

export const jobSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    queue: z.string(),
    state: z.enum(JOB_STATES),
    attempts: z.number().int().describe('Runs so far'),
    maxAttempts: z.number().int(),
    progress: z.unknown().describe('What the handler reported last'),
    failedReason: z.string().nullable(),
    enqueuedAt: time,
    dueAt: time.nullable().describe('When a delayed job starts'),
    startedAt: time.nullable(),
    finishedAt: time.nullable(),
    scheduleId: z.string().nullable().describe('The schedule that made it'),
    requestId: z.string().nullable().describe('The request that enqueued it'),
  })
  .meta({ id: 'Job' });

export const jobPageSchema = pageSchema(jobSchema);

export const jobDetailsSchema = jobSchema
  .extend({
    payload: z.unknown(),
    result: z.unknown().describe('What the handler returned'),
    stack: z.array(z.string()).describe('Stacks of the last failures'),
  })
  .meta({ id: 'JobDetails' });

const scheduleSchema = z
  .object({
    id: z.string(),
    job: z.string(),
    queue: z.string(),
    recurrence: z.union([
      z.object({ everyMs: z.number().int() }),
      z.object({ pattern: z.string(), timezone: z.string() }),
    ]),
    nextRunAt: time.nullable(),
    runs: z.number().int().describe('Runs that it has started so far'),
    declared: z.boolean().describe('Whether code declares it; else it was made at run time'),
  })
  .meta({ id: 'JobSchedule' });

export const schedulesSchema = z.object({ items: z.array(scheduleSchema) });
