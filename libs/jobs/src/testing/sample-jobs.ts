import { z } from 'zod';
import { defineJob } from '../job-definition.js';
import type { JobsHarness } from './jobs-harness.js';

/** Makes one more process on the store of the test, which is closed after the test. */
export type StartProcess = (limits?: ConstructorParameters<typeof JobsHarness>[1]) => JobsHarness;

/** Has a payload that is checked, and a second attempt that comes soon. */
export const greet = defineJob({
  name: 'greet',
  schema: z.strictObject({ name: z.string(), times: z.number().int().default(1) }),
  backoff: { type: 'fixed', delayMs: 20 },
});

export const other = defineJob({ name: 'other', schema: z.unknown() });

/** One at a time, in a queue of its own. */
export const single = defineJob({ name: 'single', schema: z.unknown(), concurrency: 1 });
