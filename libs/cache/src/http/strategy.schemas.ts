import { z } from 'zod';
import {
  CHANGE_TYPES,
  configurationSchema,
  constraintsSchema,
  partialConfigurationSchema,
  STRATEGY_STATUSES,
  STRATEGY_TYPES,
  strategyNameSchema,
  workloadSchema,
} from '../strategies/model/strategy.schemas.js';
import {
  optimisationResultSchema,
  triedChangeSchema,
} from '../strategies/optimiser/optimisation-result.js';
import { workloadAnalysisSchema } from '../strategies/workload/workload-analysis.js';

export { optimisationResultSchema };

const MAX_KEY = 1_024;
const DAY_MS = 86_400_000;

export const strategyIdSchema = z.union([z.uuid(), strategyNameSchema]);
export const entryKeySchema = z.string().min(1).max(MAX_KEY);

export const newStrategySchema = z.strictObject({
  name: strategyNameSchema.max(64),
  type: z.enum(STRATEGY_TYPES).optional(),
  workload: workloadSchema.optional(),
  constraints: constraintsSchema.optional(),
  configuration: partialConfigurationSchema.optional(),
});

export const strategyChangeSchema = z.strictObject({
  version: z.number().int().min(1).optional(),
  status: z.enum(['active', 'disabled']).optional(),
  configuration: partialConfigurationSchema.optional(),
});

export const optimiseSchema = z
  .strictObject({
    skipTypes: z.array(z.enum(CHANGE_TYPES)).max(CHANGE_TYPES.length).default([]),
  })
  .prefault({});

export const newEntrySchema = z.strictObject({
  value: z.json(),
  ttlMs: z.number().int().min(1).max(DAY_MS).optional(),
});

export const entrySchema = z.strictObject({
  key: z.string(),
  value: z.json(),
  source: z.string(),
  createdAt: z.iso.datetime(),
  expiresAt: z.iso.datetime(),
});

export const entryReceiptSchema = z.strictObject({
  key: z.string(),
  /** Every level has it, and no process serves anything older. */
  acknowledged: z.boolean(),
});

const reasonSchema = z.strictObject({ of: z.string(), text: z.string() });

const figuresSchema = z.strictObject({
  reads: z.number().int(),
  hits: z.number().int(),
  misses: z.number().int(),
  passed: z.number().int(),
  loads: z.number().int(),
  hitRatio: z.number(),
  latencyMs: z.number(),
  loadMs: z.number(),
  items: z.number().int(),
  bytes: z.number().int(),
  maxBytes: z.number().int(),
  evictions: z.number().int(),
  readsPerSecond: z.number(),
});

export const strategySchema = z.strictObject({
  id: z.uuid(),
  name: z.string(),
  type: z.enum(STRATEGY_TYPES),
  status: z.enum(STRATEGY_STATUSES),
  version: z.number().int(),
  configuration: configurationSchema,
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
  lastOptimized: z.iso.datetime().nullable(),
  /** Namespaces that it rules in the process that answers. */
  namespaces: z.array(z.string()),
  /** Levels below memory, the fastest first. */
  levels: z.array(z.strictObject({ level: z.string(), store: z.string(), state: z.string() })),
  /** Of the process that answers, since it opened the strategy. */
  figures: figuresSchema,
  /** What the policy in force tells of itself. */
  policyState: z.record(z.string(), z.unknown()),
});

export const strategyDetailsSchema = strategySchema.extend({
  provenance: z.strictObject({
    createdBy: z.string(),
    origin: z.enum(['generated', 'given']),
    analysis: workloadAnalysisSchema.nullable(),
    constraints: constraintsSchema.nullable(),
    reasons: z.array(reasonSchema),
    unmet: z.array(z.string()),
    optimisations: z.array(
      z.strictObject({
        at: z.iso.datetime(),
        by: z.string(),
        hitRatioBefore: z.number(),
        hitRatioAfter: z.number(),
        changes: z.array(triedChangeSchema),
      }),
    ),
  }),
});

export const createdStrategySchema = strategyDetailsSchema.extend({
  /** What the first level would have done with the workload; null without one. */
  expected: z.strictObject({ hitRatio: z.number(), staleRatio: z.number().nullable() }).nullable(),
});

export const strategiesSchema = z.strictObject({ items: z.array(strategySchema) });

export const strategyWarmedSchema = z.strictObject({
  jobs: z.array(z.strictObject({ namespace: z.string(), jobId: z.string() })),
});
