import { defineJob } from '#libs/jobs';
import { z } from 'zod';

/** Lasts until a file appears, and writes down who ran it. */
export const longJob = defineJob({
  name: 'long-job',
  schema: z.strictObject({ journal: z.string(), untilFile: z.string() }),
  attempts: 1,
});

export type LongJobPayload = z.infer<typeof longJob.schema>;
