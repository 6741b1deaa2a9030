import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of warming the cache. */
export const cacheWarmingSettings = defineSettings('cacheWarming', {
  enabled: z.boolean().default(true).meta({
    live: true,
    description: 'Whether caches are warmed at start, on schedules and before peaks',
  }),
  poolShare: z.number().min(0.05).max(1).default(0.5).meta({
    live: true,
    description:
      'Part of the idle database connections that warming may use; it always gets one load at a time',
  }),
  maxKeys: z.number().int().min(1).max(1_000_000).default(10_000).meta({
    live: true,
    description: 'Most keys that one warm-up loads',
  }),
  saveEveryMs: z.number().int().min(1_000).max(86_400_000).default(60_000).meta({
    description: 'How often each process stores which keys were read most; also at its end',
  }),
  peakLeadMs: z.number().int().min(60_000).max(1_800_000).default(600_000).meta({
    description: 'How long before a predicted peak caches are warmed',
  }),
  peakFactor: z.number().min(1.1).max(24).default(1.5).meta({
    live: true,
    description: 'An hour of the day is a peak with this many times the reads of a mean hour',
  }),
  deployment: z.string().min(1).max(200).optional().meta({
    description:
      'Name of what is deployed, such as an image tag; another one than at the last start is a deployment. By default a digest of the program',
  }),
});

export type CacheWarmingSettings = SettingsOf<typeof cacheWarmingSettings>;
