import { defineJob } from '#libs/jobs';
import { z } from 'zod';

const keySchema = z.strictObject({
  column: z.string().optional(),
  expression: z.string().optional(),
  direction: z.enum(['asc', 'desc']).optional(),
  nulls: z.enum(['first', 'last']).optional(),
  opclass: z.string().optional(),
  collation: z.string().optional(),
});

/** An index to build, as payloads carry it. */
export const candidateSchema = z.strictObject({
  schema: z.string(),
  table: z.string(),
  method: z.enum(['btree', 'hash', 'gin', 'gist', 'spgist', 'brin']),
  keys: z
    .array(
      keySchema.refine(
        ({ column, expression }) => (column === undefined) !== (expression === undefined),
        {
          message: 'either a column or an expression',
        },
      ),
    )
    .min(1),
  include: z.array(z.string()).optional(),
  where: z.string().optional(),
});

const changeSchema = z.strictObject({
  id: z.uuid(),
  index: candidateSchema,
  expectedBytes: z.number().nonnegative(),
  /** Fingerprints of the statements that it is for. */
  serves: z.array(z.string()),
});

const HOURS_MS = 3_600_000;

/** Analyses the database and keeps the result. By schedule when `indexAdvisor.schedule` is set. */
export const analyseIndexes = defineJob({
  name: 'analyse-indexes',
  queue: 'index-advisor',
  schema: z.strictObject({}),
  attempts: 2,
  timeoutMs: HOURS_MS,
});

/** Builds indexes, one after the other. A rerun goes on where the last run ended. */
export const applyIndex = defineJob({
  name: 'apply-index',
  queue: 'index-changes',
  schema: z.strictObject({ changes: z.array(changeSchema).min(1) }),
  concurrency: 1,
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 30_000, jitter: 0.2 },
  timeoutMs: 24 * HOURS_MS,
});

/** Judges an index some time after it was built, and removes it when it does not pay. */
export const verifyIndex = defineJob({
  name: 'verify-index',
  queue: 'index-advisor',
  schema: z.strictObject({
    change: changeSchema,
    source: z.enum(['pg_stat_statements', 'recorder', 'none']),
    /** Counts of its statements up to its build. */
    before: z.record(z.string(), z.strictObject({ calls: z.number(), totalMs: z.number() })),
    /** Milliseconds since 1970. */
    builtAtMs: z.number(),
  }),
  attempts: 5,
  backoff: { type: 'exponential', delayMs: 30_000, jitter: 0.2 },
  timeoutMs: HOURS_MS,
});

export type ApplyPayload = z.output<typeof applyIndex.schema>;
export type VerifyPayload = z.output<typeof verifyIndex.schema>;
export type PlannedChange = ApplyPayload['changes'][number];
