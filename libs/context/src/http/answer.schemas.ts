import { pageSchema } from '#libs/http';
import { z } from 'zod';
import { SOURCE_KINDS, SOURCE_SCOPES } from '../entities/context-source.entity.js';

/** Answers as they go over the wire, for the OpenAPI document: times are ISO 8601 texts. */
const time = z.iso.datetime();

export const sourceSchema = z.object({
  id: z.uuid(),
  name: z.string(),
  label: z.string(),
  kind: z.enum(SOURCE_KINDS),
  scope: z.enum(SOURCE_SCOPES),
  ownerId: z.uuid(),
  retentionDays: z.number().int().nullable(),
  cacheRule: z.object({ ttlMs: z.number().int().optional() }).nullable(),
  createdAt: time,
  updatedAt: time,
});

export const sourcePageSchema = pageSchema(sourceSchema);

export const createdSchema = z.object({ id: z.uuid() });

export const entrySchema = z.object({
  id: z.uuid(),
  sourceId: z.uuid(),
  role: z.string().nullable(),
  type: z.string().nullable(),
  author: z.string().nullable(),
  occurredAt: time,
  importance: z.number(),
  pinned: z.boolean(),
  rating: z.number().nullable(),
  accessCount: z.number().int(),
  lastAccessedAt: time.nullable(),
  tier: z.enum(['hot', 'warm', 'cold']),
  lifecycle: z.enum(['active', 'expiring', 'expired', 'archived']),
  externalKey: z.string().nullable(),
  createdAt: time,
  text: z.string().optional().describe('Only when asked for with fields=text'),
  metadata: z
    .record(z.string(), z.unknown())
    .optional()
    .describe('Only when asked for with fields=metadata'),
});

export const entryPageSchema = pageSchema(entrySchema);

export const bulkReportSchema = z.object({
  inserted: z.number().int().describe('Entries that are new'),
  updated: z.number().int().describe('Entries whose externalKey was known, with other content'),
  unchanged: z.number().int().describe('Entries whose externalKey was known, with this content'),
  rejected: z
    .array(z.object({ line: z.number().int(), code: z.string(), detail: z.string() }))
    .describe('The first rejected lines, as many as context.bulkMaxReportedFaults'),
  rejectedCount: z.number().int(),
  aborted: z.boolean().describe('With onError=abort: a rejected line has undone everything'),
});

const entryConsistencySchema = z.object({
  id: z.uuid(),
  stored: z.boolean(),
  index: z.enum(['written', 'pending', 'failed', 'missing']),
  consistent: z.boolean(),
  attempts: z.number().int(),
  lastError: z.string().nullable(),
});

export const consistencySchema = z.object({
  total: z.number().int(),
  written: z.number().int(),
  pending: z.number().int(),
  failed: z.number().int(),
  missing: z.number().int(),
  inconsistent: z.array(entryConsistencySchema).describe('The first entries that do not agree'),
});

export const repairSchema = z.object({
  repaired: z.number().int(),
  failed: z.number().int(),
});

const messageSchema = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
  images: z.array(z.string()).optional(),
});

const explanationSchema = z.object({
  entryId: z.uuid(),
  source: z.string(),
  occurredAt: time,
  score: z.number(),
  terms: z.record(z.string(), z.number()).describe('What adds up to the score'),
});

export const compileAnswerSchema = z.object({
  messages: z.array(messageSchema).describe('Oldest first'),
  report: z.object({
    fingerprint: z.string().describe('The same for the same question'),
    sources: z.array(
      z.object({
        id: z.string(),
        recent: z.number().int(),
        relevant: z.number().int(),
        used: z.number().int(),
        durationMs: z.number(),
        status: z.enum(['ok', 'failed']),
      }),
    ),
    explain: z.array(explanationSchema).optional().describe('Only with explain: true'),
  }),
});

export const managerCacheSchema = z.object({
  hits: z.number().int(),
  misses: z.number().int(),
  sets: z.number().int(),
  evictions: z.number().int(),
  currentSize: z.number().int().describe('Names of sources'),
  fetches: z.number().int().describe('Statements, each for all that was missing at the time'),
  fetchMs: z.number().describe('Time that they took in all'),
});

export const memoriesSchema = z.object({
  items: z.array(
    z.object({
      id: z.uuid(),
      text: z.string(),
      occurredAt: time,
      metadata: z.record(z.string(), z.unknown()),
      importance: z.number(),
      pinned: z.boolean(),
      rating: z.number().nullable(),
      score: z.number(),
      terms: z.record(z.string(), z.number()),
    }),
  ),
});

export const preloadStartedSchema = z.object({
  jobId: z.string().describe('Known to GET /v1/jobs/{id}'),
});

const preloadPartSchema = z.object({
  share: z.number().int().describe('Most rows, by the configuration'),
  rows: z.number().int().describe('Rows at the last load'),
  keptUntil: time
    .nullable()
    .describe('Null when it is not kept: it has run out, or a memory has changed'),
});

export const preloadStatusSchema = z.object({
  state: z.enum(['none', 'requested', 'loaded']),
  jobId: z.string().nullable(),
  requestedAt: time.nullable(),
  loadedAt: time.nullable(),
  durationMs: z.number().nullable(),
  parts: z.object({
    recent: preloadPartSchema,
    frequent: preloadPartSchema,
    important: preloadPartSchema,
    context: preloadPartSchema,
  }),
});

export const compileBatchAnswerSchema = z.object({
  items: z
    .array(
      z.discriminatedUnion('status', [
        compileAnswerSchema.extend({ status: z.literal('ok') }),
        z.object({
          status: z.literal('failed'),
          error: z.object({ code: z.string(), detail: z.string() }),
        }),
      ]),
    )
    .describe('In the order of the requests'),
});
