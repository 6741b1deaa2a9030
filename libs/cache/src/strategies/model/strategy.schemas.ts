import { z } from 'zod';
import { CACHE_KINDS } from '../../managers/cache-kind.js';

const MIB = 1024 * 1024;
const DAY_MS = 86_400_000;

/** Where a strategy keeps its entries. */
export const STRATEGY_TYPES = ['memory', 'disk', 'distributed', 'hybrid'] as const;
export type StrategyType = (typeof STRATEGY_TYPES)[number];

export const STRATEGY_STATUSES = ['active', 'disabled', 'optimizing'] as const;
export type StrategyStatus = (typeof STRATEGY_STATUSES)[number];

/** What an optimisation may change. */
export const CHANGE_TYPES = ['policy', 'size', 'ttl', 'compression', 'prefetch'] as const;
export type ChangeType = (typeof CHANGE_TYPES)[number];

/** A word for addresses, metrics and decorators. */
export const strategyNameSchema = z.string().regex(/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/, {
  error: 'must be lower-case words joined by hyphens',
});

const TWO_VARIABLES = /\}[^:/|.@,;?&={]*\{/;

const share = z.number().min(0).max(1);
const bytes = z
  .number()
  .int()
  .min(64 * 1024)
  .max(4_096 * MIB);
const duration = z.number().int().min(1).max(DAY_MS);

export const keyPatternSchema = z.strictObject({
  pattern: z
    .string()
    .min(1)
    .max(500)
    // With two of them next to each other, comparing a key could take seconds.
    .refine((pattern) => !TWO_VARIABLES.test(pattern), {
      error: 'may have one variable between two of the separators : / | . @ , ; ? & =',
    }),
  share: share.default(0),
  keys: z.number().int().min(0).default(0),
  meanBytes: z.number().min(0).default(0),
  /** Life of what matches, instead of that of the strategy. */
  ttlMs: duration.optional(),
});

export const warmUpPlanSchema = z.strictObject({
  /** The keys that are read most are loaded before they are asked for; 0 for none. */
  topN: z.number().int().min(0).max(10_000),
  /** Always loaded too. */
  keys: z.array(z.string().min(1).max(1_024)).max(1_000).default([]),
  atStart: z.boolean().default(true),
  concurrency: z.number().int().min(1).max(64).default(4),
});

export const prefetchSchema = z.strictObject({
  minConfidence: z.number().min(0.05).max(1),
  maxPerSecond: z.number().int().min(1).max(10_000),
});

const parts = {
  kind: z.enum(CACHE_KINDS),
  maxBytes: bytes,
  maxItems: z.number().int().min(1).max(10_000_000),
  ttlMs: duration,
  policy: z.string().min(1).max(100),
  /** Null for none. */
  compressFromBytes: z
    .number()
    .int()
    .min(64)
    .max(64 * MIB)
    .nullable(),
  keyPatterns: z.array(keyPatternSchema).max(20),
  warmUp: warmUpPlanSchema,
  prefetch: prefetchSchema.nullable(),
};

/** How a strategy works; every part can be edited. */
export const configurationSchema = z.strictObject({
  kind: parts.kind.default('application'),
  maxBytes: parts.maxBytes.default(8 * MIB),
  maxItems: parts.maxItems.default(100_000),
  ttlMs: parts.ttlMs.default(60_000),
  policy: parts.policy.default('s3-fifo'),
  compressFromBytes: parts.compressFromBytes.default(2_048),
  keyPatterns: parts.keyPatterns.default([]),
  warmUp: parts.warmUp.default({ topN: 0, keys: [], atStart: false, concurrency: 4 }),
  prefetch: parts.prefetch.default(null),
});

/** Any part of a configuration; what is not given is generated, or stays. */
export const partialConfigurationSchema = z.strictObject(parts).partial();

export type StrategyConfiguration = z.output<typeof configurationSchema>;
export type KeyPatternRule = z.output<typeof keyPatternSchema>;

/** What a generated configuration must keep to. */
export const constraintsSchema = z.strictObject({
  maxBytes: bytes.default(8 * MIB),
  minHitRatio: share.optional(),
  /** A value is given at most so long after it changed at its source. */
  maxStalenessMs: duration.default(60_000),
  /** Part of the reads that may get a value which has changed; heeded where versions are known. */
  maxStaleRatio: share.default(0.01),
  /** Part of the reads that all of the room must save, at least, to be worth taking. */
  memoryPrice: share.default(0.02),
});

export type StrategyConstraints = z.output<typeof constraintsSchema>;

export const accessSchema = z.strictObject({
  key: z.string().min(1).max(1_024),
  atMs: z.number().min(0),
  bytes: z
    .number()
    .int()
    .min(0)
    .max(1_024 * MIB)
    .optional(),
  version: z.union([z.string().max(200), z.number()]).optional(),
});

export const workloadSchema = z.union([
  z.strictObject({
    namespace: z.string().min(1).max(200),
    windowMs: duration.default(600_000),
  }),
  z.strictObject({
    accesses: z.array(accessSchema).min(1).max(20_000),
    /** Values as they are cached, to see whether compression pays. */
    samples: z.array(z.json()).max(50).default([]),
  }),
]);

export type WorkloadRequest = z.output<typeof workloadSchema>;
