import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of what the cache records and learns. */
export const cacheLearningSettings = defineSettings('cacheLearning', {
  recordedReads: z.number().int().min(0).max(1_048_576).default(8_192).meta({
    live: true,
    description:
      'Reads of each namespace that are kept for analysis, the last ones; 0 switches recording and learning off',
  }),
  maxReadsPerSecond: z.number().int().min(1).max(1_000_000).default(5_000).meta({
    live: true,
    description:
      'Reads of each namespace that are recorded and learnt from in a second; those beyond cost nothing',
  }),
  prefetch: z.boolean().default(true).meta({
    live: true,
    description: 'Whether predicted keys are loaded ahead, in the namespaces that ask for it',
  }),
  successorKeys: z.number().int().min(16).max(1_048_576).default(4_096).meta({
    description: 'Keys of each namespace whose successors are remembered',
  }),
  rememberedCalls: z.number().int().min(16).max(1_048_576).default(4_096).meta({
    description:
      'Calls of each method whose arguments are remembered, where its keys are loaded ahead or warmed',
  }),
  sessionGapMs: z.number().int().min(1_000).max(86_400_000).default(600_000).meta({
    description: 'Reads of a user further apart than this are not taken for one visit',
  }),
});

export type CacheLearningSettings = SettingsOf<typeof cacheLearningSettings>;
