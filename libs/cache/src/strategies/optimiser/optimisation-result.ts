import { z } from 'zod';
import { CHANGE_TYPES } from '../model/strategy.schemas.js';

const estimate = z.strictObject({ mean: z.number(), error: z.number().nullable() });

const measurementSchema = z.strictObject({
  reads: z.number().int(),
  hitRatio: estimate,
  latencyMs: estimate,
});

export const triedChangeSchema = z.strictObject({
  type: z.enum(CHANGE_TYPES),
  from: z.unknown(),
  to: z.unknown(),
  reason: z.string(),
  outcome: z.enum(['kept', 'rolled-back']),
  verification: z.string(),
});

/** What an optimisation did. Ratios and shares are from 0 to 1. */
export const optimisationResultSchema = z.strictObject({
  /** The changes that were kept. */
  optimizationsApplied: z.array(triedChangeSchema),
  rolledBack: z.array(triedChangeSchema),
  /** Part of the misses that is avoided now; 0 as long as it may be chance. */
  improvement: z.number(),
  newHitRate: z.number(),
  /** Part of the mean time of a read that is saved now; 0 as long as it may be chance. */
  latencyReduction: z.number(),
  /** Part of the bytes held that were read more than once of late. */
  memoryEfficiency: z.number(),
  recommendations: z.array(z.string()),
  /** What the figures rest on: live counters, the replay of recorded reads, or nothing. */
  evidence: z.enum(['measured', 'replayed', 'none']),
  before: measurementSchema,
  after: measurementSchema,
  recordedReads: z.number().int(),
});

export type OptimisationResult = z.output<typeof optimisationResultSchema>;
