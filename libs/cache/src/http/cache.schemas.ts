import { z } from 'zod';
import { cacheSettings } from '../cache.settings.js';
import { namespaceOverrideSchema } from '../administration/namespace-override.js';
import { CACHE_KINDS } from '../managers/cache-kind.js';

const LONGEST_KEY = 4_096;
const MAX_NAMES = 1_000;

const ms = z.number().nullable().describe('Milliseconds; null when there is none');
const ratio = z.number().nullable().describe('0 to 1; null without a read');
const count = z.int();

const name = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[^:\p{Cc}]+$/u, 'must not hold ":" or control characters');
const key = z.string().min(1).max(LONGEST_KEY);

/** Namespaces have no ":" in their names. */
export const namespaceParamSchema = name;
export const keyParamSchema = key;
export const levelParamSchema = z.enum(['L1', 'L2', 'L3', 'L4']);

export const keyQuerySchema = z.strictObject({
  namespace: name.optional().describe('Without it the key begins with the namespace and ":"'),
  value: z
    .enum(['true', 'false'])
    .default('false')
    .describe('Shows the value too; needs perf:cache manage'),
});

export const keyDeleteQuerySchema = keyQuerySchema.omit({ value: true });

export const topQuerySchema = z.strictObject({
  top: z.coerce.number().int().min(1).max(200).default(20),
  namespace: name.optional(),
});

const { shape } = cacheSettings.schema;

/** Null goes back to what the settings say. */
export const levelChangeSchema = z
  .strictObject({
    maxBytes: shape.l1MaxBytes.unwrap().nullable(),
    ttlMs: shape.l1TtlMs.unwrap().nullable(),
    timeoutMs: shape.l2TimeoutMs.unwrap().nullable(),
    enabled: z.boolean().nullable(),
  })
  .partial()
  .refine((change) => Object.keys(change).length > 0, 'must change something');

/** Null goes back to what the code says. */
export const namespaceChangeSchema = z
  .strictObject(
    Object.fromEntries(
      Object.entries(namespaceOverrideSchema.shape).map(([field, schema]) => [
        field,
        schema.unwrap().nullable().optional(),
      ]),
    ) as {
      [Field in keyof typeof namespaceOverrideSchema.shape]: z.ZodOptional<
        z.ZodNullable<z.ZodNumber>
      >;
    },
  )
  .refine((change) => Object.keys(change).length > 0, 'must change something');

/** By tags; or of a namespace by keys, by prefix, or all of it. */
export const invalidateSchema = z
  .strictObject({
    tags: z.array(z.string().min(1).max(512)).min(1).max(MAX_NAMES),
    namespace: name,
    keys: z.array(key).min(1).max(MAX_NAMES),
    prefix: z.string().min(1).max(LONGEST_KEY),
  })
  .partial()
  .superRefine(({ tags, namespace, keys, prefix }, context) => {
    const fault = (field: string, message: string): void => {
      context.addIssue({ code: 'custom', path: [field], message });
    };
    if (tags === undefined && namespace === undefined) fault('namespace', 'or tags must be given');
    if (tags !== undefined && namespace !== undefined) fault('namespace', 'must not stand by tags');
    if (tags !== undefined && keys !== undefined) fault('keys', 'must not stand by tags');
    if (tags !== undefined && prefix !== undefined) fault('prefix', 'must not stand by tags');
    if (keys !== undefined && prefix !== undefined) fault('prefix', 'must not stand by keys');
  });

const levelReadsSchema = z.object({
  level: z.string(),
  hits: count,
  misses: count,
  hitRatio: ratio,
  meanMs: ms,
});

export const levelSchema = z
  .object({
    level: z.string(),
    type: z.string().describe('memory, redis, postgres, disk'),
    enabled: z.boolean(),
    breaker: z
      .enum(['closed', 'open', 'half-open'])
      .nullable()
      .describe('open: the level is left alone for a while; null for the first level'),
    ttlMs: ms.describe('Longest life in this level; null: as each entry says'),
    timeoutMs: ms.describe('Longest wait for a call'),
    items: count.nullable().describe('null where the store does not tell'),
    bytes: count.nullable().describe('Of Redis: of the whole server'),
    maxBytes: count.nullable(),
    hits: count,
    misses: count,
    hitRatio: ratio,
    sets: count,
    deletes: count,
    errors: count.describe('Calls that failed or were not answered in time'),
    skipped: count.describe('Calls that were not tried, as the breaker was open'),
    refused: count.describe('Writes refused: invalidated meanwhile, or too large'),
    evicted: count.describe('Entries that left for want of room'),
    expired: count.describe('Expired entries that this process removed'),
    meanMs: ms,
    rawBytes: count.nullable().describe('Written, before compression and encryption'),
    storedBytes: count.nullable().describe('Written, as it is stored'),
    undecodable: count.nullable().describe('Entries that could not be read, such as altered ones'),
    changed: z.array(z.string()).describe('Fields that were changed at run time'),
  })
  .meta({ id: 'CacheLevel' });

export const namespaceSchema = z
  .object({
    name: z.string(),
    kind: z.enum(CACHE_KINDS),
    rule: z.object({
      ttlMs: ms.describe('Life of entries; null when the code computes it for each value'),
      maxTtlMs: z.number(),
      jitter: z.number().describe('Part of the life that is taken off at random'),
      staleMs: z.number(),
      revalidateMs: z.number(),
      absentTtlMs: ms.describe('Life of the answer that there is nothing'),
      levelTtlMs: z.record(z.string(), z.number()),
    }),
    changed: namespaceOverrideSchema.describe('What was changed at run time'),
    usesSharedLevels: z.boolean(),
    policy: z.string().describe('What decides who leaves the first level'),
    items: count,
    bytes: count,
    maxItems: z.number(),
    maxBytes: count,
    hits: count,
    staleHits: count,
    misses: count,
    hitRatio: ratio,
    loads: count,
    loadFailures: count,
    meanLoadMs: ms,
    writes: count,
    invalidations: count,
    evicted: count,
    expired: count,
    levels: z.array(levelReadsSchema),
  })
  .meta({ id: 'CacheNamespace' });

export const levelsSchema = z.object({ items: z.array(levelSchema) });
export const namespacesSchema = z.object({
  items: z.array(namespaceSchema),
  omitted: count.describe('Namespaces that are not listed, the least read ones'),
});

export const statsSchema = z
  .object({
    inSync: z.boolean().describe('Whether invalidations of other processes arrive'),
    hits: count,
    misses: count,
    hitRatio: ratio,
    sets: count,
    deletes: count,
    size: count.describe('Entries in the first level'),
    bytes: count.describe('Bytes of the first level'),
    levels: z.array(levelSchema),
    namespaces: z.array(namespaceSchema),
  })
  .meta({ id: 'CacheStatistics' });

export const managersSchema = z.object({
  items: z.array(
    z
      .object({
        kind: z.enum(CACHE_KINDS),
        budgetBytes: count.describe('Bound of its namespaces in the first level, together'),
        namespaces: z.array(z.string()),
        counts: z.object({
          reads: count,
          hits: count,
          l1Hits: count,
          staleHits: count,
          loads: count,
          loadFailures: count,
          loadMs: z.number(),
          loadTimeSavedMs: z.number().describe('The mean load for each answer that needed none'),
          lookUpMs: z.number().describe('Spent on looking into the levels'),
          writes: count,
          items: count,
          bytes: count,
        }),
        hitRatio: ratio.describe('hits / reads'),
        meanLatencyMs: ms.describe('(lookUpMs + loadMs) / reads'),
        hitsPerMebibyte: z.number().nullable().describe('l1Hits / (bytes / 2^20)'),
        savedPerCacheSecond: z
          .number()
          .nullable()
          .describe('loadTimeSavedMs / lookUpMs: seconds of loading saved by a second of looking'),
        levels: z.array(levelReadsSchema),
      })
      .meta({ id: 'CacheManager' }),
  ),
});

const topKey = {
  namespace: z.string(),
  key: z.string().nullable().describe('null without perf:cache manage'),
  digest: z.string().describe('First 16 digits of the SHA-256 of the key'),
  overcount: count.describe('The number is too high by this at most'),
};

export const missedKeysSchema = z.object({
  items: z.array(z.object({ ...topKey, misses: count })),
});

export const hotKeysSchema = z.object({
  items: z.array(
    z.object({ ...topKey, hits: count.describe('Estimated: one hit in 64 is counted') }),
  ),
});

export const keySchema = z
  .object({
    namespace: z.string(),
    key: z.string(),
    found: z.boolean().describe('Whether some level has it fresh'),
    levels: z.array(
      z.object({
        level: z.string(),
        state: z
          .enum(['fresh', 'stale', 'invalid', 'unknown'])
          .describe('invalid: it lies there, and is served no more'),
        createdAt: z.iso.datetime(),
        ttlLeftMs: z.number().describe('0 or less when it is no longer fresh'),
        bytes: count.nullable(),
        tags: z.array(z.string()),
      }),
    ),
    value: z.unknown().optional(),
    valueOmitted: z.string().optional().describe('Why the value that was asked for is not shown'),
  })
  .meta({ id: 'CacheKey' });

export const receiptSchema = z
  .object({
    acknowledged: z
      .boolean()
      .describe(
        'Whether every level and every process has done it; if not, it is being tried again, and this process serves nothing older',
      ),
    scope: z
      .enum(['keys', 'tags', 'namespace', 'everything'])
      .describe('What was invalidated; a prefix takes its whole namespace'),
  })
  .meta({ id: 'CacheReceipt' });

export const sweepSchema = z.object({
  items: z.array(z.object({ level: z.string(), removed: count })),
  removed: count,
});

/** A level as an answer shows it. */
export type CacheLevelView = z.infer<typeof levelSchema>;
/** A namespace as an answer shows it. */
export type CacheNamespaceView = z.infer<typeof namespaceSchema>;
/** A kind as an answer shows it. */
export type CacheManagerView = z.infer<typeof managersSchema>['items'][number];
/** A key that was missed often, as an answer shows it. */
export type MissedKeyView = z.infer<typeof missedKeysSchema>['items'][number];
/** A key that was read often, as an answer shows it. */
export type HotKeyView = z.infer<typeof hotKeysSchema>['items'][number];
