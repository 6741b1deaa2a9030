import { z } from 'zod';
import { SOURCE_KINDS, SOURCE_SCOPES } from '../entities/context-source.entity.js';
import { isStorableJson, isStorableText } from './storable.js';

const MAX_NAME_LENGTH = 128;
const MAX_TEXT_LENGTH = 1_048_576;
const MAX_JSON_BYTES = 16_384;
/** PostgreSQL reads four-digit years without further marks; nothing older is worth a trap. */
const EARLIEST_YEAR = 1000;

const text = (max: number) =>
  z.string().min(1).max(max).refine(isStorableText, 'holds a NUL or half a surrogate pair');

const json = z
  .record(z.string(), z.unknown())
  .refine((value) => isStorableJson(value, MAX_JSON_BYTES), {
    error: `must be storable JSON of at most ${MAX_JSON_BYTES} bytes and 32 levels`,
  });

const sourceName = z
  .string()
  .max(MAX_NAME_LENGTH)
  .regex(/^[A-Za-z0-9_-]+$/, 'may hold letters, digits, _ and - only')
  .refine((name) => !z.uuid().safeParse(name).success, 'must not look like a UUID');

const retentionDays = z.number().int().min(1).max(36_500).nullable();
const cacheRule = z
  .strictObject({ ttlMs: z.number().int().min(0).max(86_400_000).optional() })
  .nullable();

/** Body of a new source. */
export const newSourceSchema = z.strictObject({
  name: sourceName,
  kind: z.enum(SOURCE_KINDS),
  label: text(256).optional(),
  scope: z.enum(SOURCE_SCOPES).optional(),
  retentionDays: retentionDays.optional(),
  cacheRule: cacheRule.optional(),
});

/** Changes of a source. */
export const sourceChangesSchema = z.strictObject({
  name: sourceName.optional(),
  label: text(256).optional(),
  kind: z.enum(SOURCE_KINDS).optional(),
  retentionDays: retentionDays.optional(),
  cacheRule: cacheRule.optional(),
});

const entryFields = {
  text: text(MAX_TEXT_LENGTH),
  role: z.enum(['system', 'user', 'assistant']).optional(),
  author: text(256).optional(),
  type: text(64).optional(),
  occurredAt: z.iso
    .datetime({ offset: true })
    .refine((time) => new Date(time).getUTCFullYear() >= EARLIEST_YEAR, 'is before the year 1000')
    .optional(),
  importance: z.union([z.boolean(), z.number().min(0).max(5)]).optional(),
  pinned: z.boolean().optional(),
  rating: z.number().min(-5).max(5).optional(),
  metadata: json.optional(),
};

/** Body of a new entry, and a line of a bulk write. */
export const newEntrySchema = z.strictObject({ ...entryFields, externalKey: text(512).optional() });

const searchTexts = z.array(text(32_768)).max(20);

/** Body of a compile. */
export const compileRequestSchema = z.strictObject({
  sources: z.array(
    z.strictObject({
      id: z.string().min(1).max(MAX_NAME_LENGTH),
      label: z.string().max(256).optional(),
      where: json.optional(),
      metadata: json.optional(),
    }),
  ),
  texts: searchTexts.optional(),
  recentLimit: z.number().int().min(0).max(1000).optional(),
  queryLimit: z.number().int().min(0).max(20).optional(),
  limit: z.number().int().min(0).max(1000).optional(),
  explain: z.boolean().optional(),
});

/** Body of something to remember. */
export const rememberSchema = z.strictObject(entryFields);

/** Body of a recall: the memories that fit a question. */
export const recallSchema = z.strictObject({
  query: text(32_768),
  where: json.optional(),
  limit: z.number().int().min(1).max(100).optional(),
});

/** Body of a reader's opinion on a memory. */
export const feedbackSchema = z.strictObject({
  rating: z.number().min(-5).max(5).optional(),
  pinned: z.boolean().optional(),
  importance: z.union([z.boolean(), z.number().min(0).max(5)]).optional(),
});
