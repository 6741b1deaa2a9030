import { z } from 'zod';

const count = z.int();
const ms = z.number().describe('Milliseconds');

const timesSchema = z.object({
  count,
  meanMs: ms,
  p50Ms: ms,
  p95Ms: ms,
  p99Ms: ms,
  maxMs: ms,
});

const demandSchema = z.object({
  seconds: count,
  arrivalsPerSecond: z.number(),
  meanHoldMs: ms,
  meanBusy: z.number().describe("By Little's law: arrivals a second × seconds held"),
  peakBusy: count,
});

const adviceSchema = z.object({
  size: count,
  isChange: z.boolean(),
  reason: z.string(),
  evidence: demandSchema.extend({ waitP95Ms: ms }),
});

export const poolReportSchema = z.object({
  size: count.describe('Most connections'),
  open: count,
  idle: count,
  busy: count,
  waiting: count.describe('Callers that wait for a connection'),
  maxWaiting: count,
  counts: z.object({
    acquired: count,
    created: count,
    removed: count,
    timedOut: count,
    refused: count,
    errors: count,
    leakedTransactions: count,
  }),
  wait: timesSchema,
  hold: timesSchema,
  demand: demandSchema.describe('Over the last minute'),
  advice: adviceSchema,
  statements: z.object({
    known: count,
    optedOut: z.array(z.string()).describe('Statements that run faster when planned anew'),
  }),
});

export const poolOptimizationSchema = adviceSchema.extend({
  sizeBefore: count,
  applied: z.boolean(),
});

export type PoolOptimization = z.infer<typeof poolOptimizationSchema>;
