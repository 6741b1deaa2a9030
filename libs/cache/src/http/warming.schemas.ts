import { z } from 'zod';

/** What to warm; without anything all that the decorators say. */
export const warmSchema = z
  .strictObject({
    namespace: z.string().min(1).max(256).optional(),
    keys: z
      .array(z.string().min(1).max(4_096))
      .min(1)
      .max(10_000)
      .optional()
      .describe('Keys of the namespace that were read of late, or are in its stored hot set'),
    calls: z
      .array(z.array(z.unknown()).max(20))
      .min(1)
      .max(10_000)
      .optional()
      .describe('Lists of arguments for the method of the namespace'),
    topN: z.int().min(1).max(10_000).optional().describe('So many of the keys read most'),
  })
  .refine(
    ({ namespace, keys, calls }) => namespace !== undefined || (keys ?? calls) === undefined,
    { path: ['namespace'], message: 'must be given with keys or calls' },
  )
  .prefault({});

export const warmStartedSchema = z.object({
  jobId: z.string().meta({ description: 'GET /v1/jobs/:id tells how far it is and how it ended' }),
});

export const warmTargetsSchema = z.object({
  items: z.array(
    z.object({
      namespace: z.string(),
      method: z.string(),
      hasKeys: z.boolean(),
      topN: z.number().nullable(),
      cron: z.string().nullable(),
      everyMs: z.number().nullable(),
      atStart: z.boolean(),
      beforePeaks: z.boolean(),
      concurrency: z.number(),
    }),
  ),
});
