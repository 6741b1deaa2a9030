import { z } from 'zod';
import { CALL_OUTCOMES } from '../policies/policy-counts.js';

const count = z.int().min(0);
const state = z
  .enum(['closed', 'half-open', 'open', 'isolated'])
  .describe('half-open: one call is let through to see; isolated: held open by hand');

export const breakerSchema = z.object({
  name: z.string(),
  isForeign: z
    .boolean()
    .describe(
      'Whether it is of a part with a breaker of its own, which is shown by its state alone',
    ),
  state,
  since: z.iso.datetime().optional().describe('When it got into this state; with the first call'),
  probeInMs: z.number().optional().describe('Of an open one: until a call is let through to see'),
  lastError: z
    .object({ code: z.string().optional(), message: z.string() })
    .optional()
    .describe('What has opened it'),
  window: z
    .object({ succeeded: count, failed: count })
    .optional()
    .describe('Calls of the window that decides whether it opens'),
  calls: z
    .partialRecord(z.enum(CALL_OUTCOMES), count)
    .optional()
    .describe('Calls since the start by how they ended, before any fallback'),
  attempts: count.optional().describe('Attempts that reached the part'),
  retries: count.optional(),
  retriesDenied: count.optional().describe('Not retried because the budget was used up'),
  retriesLeft: count.optional().describe('Retries that the budget allows now'),
  fallbacks: count.optional(),
  bulkhead: z.object({ inUse: count, queued: count }).optional(),
  limits: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('In force now; the setting resilience.policies changes them'),
});

export const breakersSchema = z.object({ items: z.array(breakerSchema) });

export const breakerParamsSchema = z.strictObject({ name: z.string().min(1).max(64) });

export type BreakerAnswer = z.infer<typeof breakerSchema>;
export type BreakersAnswer = z.infer<typeof breakersSchema>;
export type BreakerParams = z.infer<typeof breakerParamsSchema>;
