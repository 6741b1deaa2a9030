import { z } from 'zod';

const ms = z.number().describe('Milliseconds');

const worstSchema = z.object({
  durationMs: ms,
  at: z.iso.datetime(),
  route: z.string().nullable(),
  requestId: z.string().nullable(),
  parameters: z.array(z.unknown()).readonly().describe('Without anything personal or secret'),
  plan: z.unknown().describe('EXPLAIN (FORMAT JSON), taken afterwards; nothing is executed again'),
});

const querySchema = z.object({
  fingerprint: z.string(),
  query: z.string().describe('Without literals'),
  calls: z.int(),
  errors: z.int(),
  rows: z.int(),
  totalMs: ms,
  meanMs: ms,
  p95Ms: ms.describe('Milliseconds, within 5 %'),
  maxMs: ms,
  slow: z.int().describe('Executions above database.slowQueryMs'),
  lastAt: z.iso.datetime(),
  routes: z.record(z.string(), z.int()).readonly().describe('Executions by route template'),
  worst: worstSchema.nullable(),
});

export const queriesSchema = z.object({ items: z.array(querySchema) });
export type QueriesAnswer = z.infer<typeof queriesSchema>;

export const queriesQuerySchema = z.strictObject({
  sort: z.enum(['total', 'mean', 'p95', 'max', 'calls']).default('total'),
  limit: z.coerce.number().int().min(1).max(1_000).default(50),
});
export type QueriesQuery = z.infer<typeof queriesQuerySchema>;

export const limitQuerySchema = queriesQuerySchema.pick({ limit: true });
export type LimitQuery = z.infer<typeof limitQuerySchema>;

export const nPlusOnesSchema = z.object({
  items: z.array(
    z.object({
      route: z.string().nullable(),
      requestId: z.string(),
      query: z.string(),
      times: z.int(),
      source: z.string().describe('The query whose rows were followed'),
      site: z.string().describe('Where in the code'),
      relation: z.string(),
      advice: z.string(),
    }),
  ),
});
export type NPlusOnesAnswer = z.infer<typeof nPlusOnesSchema>;
