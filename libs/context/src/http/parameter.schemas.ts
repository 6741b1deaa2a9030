import { pageQuerySchema } from '#libs/http';
import { z } from 'zod';
import { compileRequestSchema } from '../services/input.schemas.js';
import { isStorableText } from '../services/storable.js';
import { LARGE_ENTRY_FIELDS } from '../services/views.js';

/** `:id` of a source in a path: its id or its name. */
export const sourceIdSchema = z.string().min(1).max(128);

export const entryIdSchema = z.uuid();

const fields = z
  .string()
  .max(64)
  .transform((list) => list.split(',').map((field) => field.trim()))
  .pipe(z.array(z.enum(LARGE_ENTRY_FIELDS)))
  .optional()
  .describe('Large fields to answer as well, joined by commas: text, metadata');

const sort = z.enum(['newest', 'oldest']).optional().describe('By time of occurrence');

/** Query of a page of entries; newest first by default. */
export const entryPageQuerySchema = pageQuerySchema.extend({ fields, sort });
export type EntryPageQuery = z.infer<typeof entryPageQuerySchema>;

/** Query of a stream of entries; oldest first by default. */
export const entryStreamQuerySchema = z.object({ fields, sort });
export type EntryStreamQuery = z.infer<typeof entryStreamQuerySchema>;

export const bulkQuerySchema = z.object({
  onError: z
    .enum(['skip', 'abort'])
    .default('skip')
    .describe('skip stores every good line; abort stores all lines or none'),
});
export type BulkQuery = z.infer<typeof bulkQuerySchema>;

export const consistencyQuerySchema = z.object({
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(1000)
    .default(100)
    .describe('Most inconsistent entries to list'),
});
export type ConsistencyQuery = z.infer<typeof consistencyQuerySchema>;

export const relevantQuerySchema = z.object({
  text: z
    .string()
    .min(1)
    .max(32_768)
    .refine(isStorableText, 'holds a NUL or half a surrogate pair')
    .optional()
    .describe('What is going on'),
  limit: z.coerce.number().int().min(1).max(100).default(10),
});
export type RelevantQuery = z.infer<typeof relevantQuerySchema>;

/** The setting `context.compileBatchMaxRequests` may be as high as this bound, and is lower. */
const MOST_BATCH_REQUESTS = 1000;

export const compileBatchBodySchema = z.strictObject({
  requests: z.array(compileRequestSchema).min(1).max(MOST_BATCH_REQUESTS),
});
export type CompileBatchBody = z.infer<typeof compileBatchBodySchema>;
