import { z } from 'zod';

export const namespaceQuerySchema = z.strictObject({
  namespace: z.string().min(1).max(200),
  top: z.coerce.number().int().min(1).max(200).default(20),
});

const predictionSchema = z.object({
  key: z.string().nullable().meta({ description: 'null unless the caller may manage the cache' }),
  confidence: z.number().meta({ description: 'Estimated probability, 0 to 1' }),
  support: z
    .number()
    .meta({ description: 'Reads that the estimate rests on, recent ones above all' }),
});

const prefetchSchema = z.object({
  started: z.number(),
  used: z.number(),
  wasted: z.number(),
  skipped: z.object({ budget: z.number(), busy: z.number(), unknown: z.number() }),
  failed: z.number(),
  pending: z.number(),
  usefulShare: z.number().nullable(),
  confidence: z
    .number()
    .meta({ description: 'Least confidence of what is loaded ahead at present' }),
});

export const patternsSchema = z.object({
  namespace: z.string(),
  recording: z.object({
    kept: z.number().meta({ description: 'Reads that are kept for analysis' }),
    recorded: z.number(),
    reads: z.number().meta({ description: 'All reads, recorded or not' }),
  }),
  hotKeys: z.array(
    z.object({
      key: z.string().nullable(),
      reads: z.number(),
      share: z.number().meta({ description: 'Of the recorded reads of late' }),
      meanGapMs: z
        .number()
        .nullable()
        .meta({ description: 'Between two reads, recent ones above all' }),
    }),
  ),
  successors: z.array(
    z.object({
      key: z.string().nullable(),
      next: z.array(predictionSchema),
    }),
  ),
  hours: z.array(z.number()).meta({ description: 'Share of the reads by hour of the day, UTC' }),
  peakHours: z.array(z.number()),
  prefetch: prefetchSchema.nullable(),
});

export const modelsSchema = z.object({
  items: z.array(
    z.object({
      namespace: z.string(),
      policy: z.string(),
      inForce: z.string().meta({ description: 'The policy that an adaptive one has chosen' }),
      reason: z.string().nullable(),
      switches: z.number(),
      state: z.record(z.string(), z.unknown()).meta({
        description:
          'What the policy tells of itself: learnt weights, shadows with their hit ratios',
      }),
    }),
  ),
});

export const modelQuerySchema = z.strictObject({
  namespace: z.string().min(1).max(200).optional(),
});

export const traceQuerySchema = z.strictObject({ namespace: z.string().min(1).max(200) });
