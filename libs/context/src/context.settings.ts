import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const weight = z.number().min(0).max(1000);
const DAY_DAYS_MAX = 3650;

/** Settings of sources, entries, compile and ranking. */
export const contextSettings = defineSettings('context', {
  entryTextMaxBytes: z.number().int().min(1024).max(1_048_576).default(262_144).meta({
    description: 'Longest text of an entry, in bytes of UTF-8',
  }),
  consistency: z.enum(['eventual', 'strict']).default('eventual').meta({
    description: 'Whether a write waits for the search index (strict) or the index follows it',
  }),
  bulkBatchRows: z.number().int().min(1).max(10_000).default(1000).meta({
    description: 'Entries in one statement of a bulk write',
  }),
  bulkParallelBatches: z.number().int().min(1).max(8).default(2).meta({
    description: 'Batches of one bulk write that are under way at once',
  }),
  bulkMaxReportedFaults: z.number().int().min(1).max(10_000).default(1000).meta({
    description: 'Rejected lines that a bulk write lists; further ones are only counted',
  }),
  bulkMaxLineBytes: z.number().int().min(1024).max(16_777_216).default(1_048_576).meta({
    description: 'Longest line of a bulk body; a longer one is rejected and the rest is read on',
  }),
  bulkMaxBytes: z.number().int().min(1024).max(1_099_511_627_776).default(1_073_741_824).meta({
    description: 'Largest bulk body; a larger one is answered with 413',
  }),
  longConnections: z.number().int().min(1).max(500).default(8).meta({
    description: 'Database connections that streams and all-or-nothing bulk writes may hold',
  }),
  streamBatchRows: z.number().int().min(1).max(10_000).default(500).meta({
    description: 'Rows that a stream of entries takes from its database cursor at once',
  }),
  indexBatchRows: z.number().int().min(1).max(5000).default(200).meta({
    description: 'Entries that the indexer takes from the outbox at once',
  }),
  indexMaxAttempts: z.number().int().min(1).max(100).default(5).meta({
    description: 'Attempts to index an entry before its index counts as failed',
  }),
  indexLeaseMs: z.number().int().min(1000).max(600_000).default(30_000).meta({
    description: 'Time after which an index write that was begun may be begun again',
  }),
  compileMaxSources: z.number().int().min(1).max(1000).default(50).meta({
    description: 'Most sources of one compile',
  }),
  compileMaxLimit: z.number().int().min(1).max(1000).default(200).meta({
    description: 'Most messages and most recent entries per source that a compile may ask for',
  }),
  compileBatchMaxRequests: z.number().int().min(1).max(1000).default(20).meta({
    description: 'Most contexts that one batch may compile',
  }),
  compileBatchParallel: z.number().int().min(1).max(32).default(4).meta({
    description: 'Contexts of one batch that are compiled at once',
  }),
  candidateLimit: z.number().int().min(10).max(5000).default(120).meta({
    live: true,
    description: 'About how many entries a search ranks in process',
  }),
  managerCacheTtlMs: z.number().int().min(0).max(3_600_000).default(60_000).meta({
    description:
      'Time after which the sources behind store managers are read again, in the background; 0 turns their cache off',
  }),
  managerCacheMaxSize: z.number().int().min(1).max(100_000).default(10_000).meta({
    description: 'Most names of sources in the cache of store managers',
  }),
  compileCacheTtlMs: z.number().int().min(0).max(3_600_000).default(60_000).meta({
    live: true,
    description:
      'Longest life of a compiled context, which ages in its ranking alone: a change of a source ends it at once; 0 turns the cache off',
  }),
  compileCacheStaleMs: z.number().int().min(0).max(86_400_000).default(300_000).meta({
    description:
      'For how long after that a compiled context stands in while none of its sources can be read',
  }),
  memoryCacheTtlMs: z.number().int().min(0).max(3_600_000).default(30_000).meta({
    live: true,
    description: 'The same for answers of recalled and relevant memories; 0 turns the cache off',
  }),
  rankTextWeight: weight.default(10).meta({
    live: true,
    description: 'Weight of text relevance in the score',
  }),
  rankRecencyWeight: weight.default(1).meta({
    live: true,
    description: 'Weight of recency in the score',
  }),
  rankRecencyDecayMs: z.number().int().min(1000).max(31_536_000_000).default(3_600_000).meta({
    live: true,
    description: 'Time in which recency falls to 1/e',
  }),
  rankFrequencyWeight: weight.default(2).meta({
    live: true,
    description: 'Weight of the accesses of the last hour in the score',
  }),
  rankContextWeight: weight.default(3).meta({
    live: true,
    description: 'Weight of the words shared with the texts in the score',
  }),
  accessFlushMs: z.number().int().min(10).max(60_000).default(1000).meta({
    description: 'Longest time that access events wait in memory before they are written',
  }),
  accessBufferRows: z.number().int().min(100).max(1_000_000).default(20_000).meta({
    description: 'Access events kept in memory; further ones are dropped and counted',
  }),
  accessRetentionDays: z.number().int().min(2).max(DAY_DAYS_MAX).default(30).meta({
    description: 'Days that access events are kept',
  }),
  embeddingUrl: z.url().optional().meta({
    description: 'Embedding service: POST {texts} answers {embeddings}; none by default',
  }),
  embeddingToken: z.string().optional().meta({
    secret: true,
    description: 'Bearer token of the embedding service',
  }),
  embeddingTimeoutMs: z.number().int().min(10).max(60_000).default(2000).meta({
    description: 'Longest wait for the embedding service',
  }),
  embeddingWeight: z.number().min(0).max(1).default(0.5).meta({
    live: true,
    description: 'Share of the embedding service in text relevance when it answers',
  }),
});

export type ContextSettings = SettingsOf<typeof contextSettings>;
