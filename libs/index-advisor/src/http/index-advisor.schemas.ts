import { z } from 'zod';

const bytes = z.number().describe('Bytes');
const cost = z.number().describe("In the planner's unit: one page read in order is seq_page_cost");

export const findingSchema = z.object({
  code: z.string(),
  object: z.string(),
  why: z.string(),
  evidence: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .readonly(),
  remedy: z.array(z.string()).readonly().describe('Statements that mend it, in order'),
  confidence: z
    .enum(['certain', 'check'])
    .describe('certain follows from the catalogs; check rests on estimates'),
});

const currentSchema = z.object({
  schema: z.string(),
  table: z.string(),
  name: z.string(),
  definition: z.string(),
  bytes,
  scans: z.number().describe('Since the counters began'),
  lastScanAt: z.iso.datetime().nullable(),
  isUnique: z.boolean(),
  isValid: z.boolean(),
  constraint: z.string().nullable().describe('The constraint that needs it'),
});

const servedSchema = z.object({
  fingerprint: z.string(),
  query: z.string().describe('Without literals'),
  calls: z.number(),
  costBefore: cost,
  costAfter: cost,
  savedMsPerDay: z.number().nullable(),
});

const recommendedSchema = z.object({
  name: z.string(),
  ddl: z.string(),
  schema: z.string(),
  table: z.string(),
  sizeBytes: bytes,
  writeCost: cost,
  reason: z.string(),
  serves: z.array(servedSchema).readonly(),
  supersedes: z.array(z.string()).readonly(),
});

export const indexesSchema = z.object({
  analysedAt: z.iso.datetime(),
  statistics: z.object({
    since: z.iso.datetime().nullable().describe('Since when the server counts use'),
    days: z.number().nullable(),
    replicas: z.number().describe('Servers that count their own use'),
  }),
  workload: z.object({ statements: z.number(), days: z.number().nullable() }),
  current: z.array(currentSchema).readonly(),
  recommended: z.array(recommendedSchema).readonly(),
  toRemove: z.array(findingSchema).readonly(),
  estimatedImprovement: z.object({
    costBefore: cost,
    costAfter: cost,
    improvement: z.number().describe('Share of the cost of the workload, 0 to 1'),
    writeCost: cost,
    sizeBytes: bytes,
    freedBytes: bytes,
    gap: z.number().describe('No other choice within the budget is better by more than this share'),
  }),
  notes: z.array(z.string()).readonly(),
});
export type IndexesAnswer = z.infer<typeof indexesSchema>;

export const applySchema = z.strictObject({
  names: z
    .array(z.string().min(1).max(63))
    .min(1)
    .max(100)
    .optional()
    .describe('Of recommended indexes; without it all of them'),
});
export type ApplyBody = z.infer<typeof applySchema>;

export const applyStartedSchema = z.object({
  jobId: z.string(),
  indexes: z.array(z.string()).readonly(),
});
export type ApplyStarted = z.infer<typeof applyStartedSchema>;

export const analysisStartedSchema = z.object({ jobId: z.string() });
export type AnalysisStarted = z.infer<typeof analysisStartedSchema>;

export const changesQuerySchema = z.strictObject({
  limit: z.coerce.number().int().min(1).max(1_000).default(100),
});
export type ChangesQuery = z.infer<typeof changesQuerySchema>;

export const changesSchema = z.object({
  items: z
    .array(
      z.object({
        changeId: z.string(),
        at: z.iso.datetime(),
        step: z.string(),
        schema: z.string(),
        table: z.string(),
        index: z.string(),
        definition: z.string(),
        detail: z.record(z.string(), z.unknown()).readonly(),
      }),
    )
    .readonly(),
});
export type ChangesAnswer = z.infer<typeof changesSchema>;

export const schemaAdviceSchema = z.object({ findings: z.array(findingSchema).readonly() });
export type SchemaAdvice = z.infer<typeof schemaAdviceSchema>;
