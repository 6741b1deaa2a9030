import { z } from 'zod';

const evidence = z
  .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
  .readonly();
const ms = z.number().describe('Milliseconds');

const timingSchema = z.object({
  runs: z.number(),
  medianMs: ms,
  quartilesMs: z.array(ms).readonly().describe('Between these lie half of the runs'),
});

export const optimizeSchema = z
  .strictObject({
    limit: z.int().min(1).max(200).default(20).describe('Queries, those that took most time first'),
    apply: z.boolean().default(true).describe('Whether tables with stale statistics are analysed'),
  })
  .prefault({});
export type OptimizeBody = z.infer<typeof optimizeSchema>;

export const optimizedSchema = z.object({
  queriesAnalyzed: z.int(),
  optimizationsApplied: z
    .array(
      z.object({
        kind: z.enum(['analyze']),
        object: z.string(),
        statement: z.string(),
        reason: z.string(),
        effects: z
          .array(
            z.object({
              fingerprint: z.string(),
              calls: z.number(),
              before: timingSchema.nullable(),
              after: timingSchema.nullable(),
            }),
          )
          .readonly(),
      }),
    )
    .readonly(),
  performanceImprovement: z.object({
    measured: z
      .number()
      .nullable()
      .describe('Share of the time of the queries that were measured before and after'),
    queriesMeasured: z.int(),
    byRewrites: z.number().describe('Share of the time of all queries that rewrites would save'),
  }),
  queries: z
    .array(
      z.object({
        fingerprint: z.string(),
        query: z.string().describe('Without literals'),
        calls: z.number(),
        totalMs: ms,
        plan: z.enum(['executed', 'estimated', 'refused']),
        findings: z
          .array(
            z.object({
              code: z.string(),
              path: z.string().describe('The node, from the root of the plan'),
              why: z.string(),
              evidence,
              advice: z.string(),
              remedy: z.string().nullable(),
            }),
          )
          .readonly(),
        rewrites: z
          .array(
            z.object({
              kind: z.string(),
              why: z.string(),
              sql: z.string(),
              isAccepted: z.boolean(),
              rejectedBecause: z.string().nullable(),
              samples: z.int(),
              before: timingSchema.nullable(),
              after: timingSchema.nullable(),
              gain: z.number().nullable(),
            }),
          )
          .readonly(),
      }),
    )
    .readonly(),
});
export type Optimized = z.infer<typeof optimizedSchema>;
