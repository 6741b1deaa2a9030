import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Settings of the watch over memory. */
export const memorySettings = defineSettings('memory', {
  limitBytes: z
    .number()
    .int()
    .min(64 * MEBIBYTE)
    .optional()
    .meta({
      live: true,
      description:
        'Memory that the process may have; without it the limit of its cgroup or of the machine counts, and a smaller one of those counts anyway',
    }),
  intervalMs: z.number().int().min(10).max(60_000).default(250).meta({
    description: 'Time between two readings of the memory in use',
  }),
  shedRatio: z.number().min(0.1).max(1).default(0.85).meta({
    live: true,
    description: 'From this part of the limit on caches give memory back',
  }),
  criticalRatio: z.number().min(0.1).max(1).default(0.92).meta({
    live: true,
    description: 'From this part of the limit on batch work is refused',
  }),
  recoverMargin: z.number().min(0).max(0.5).default(0.05).meta({
    live: true,
    description: 'A level of pressure ends this much below where it begins',
  }),
  collectEveryMs: z.number().int().min(100).max(600_000).default(5_000).meta({
    live: true,
    description:
      'Least time between two collections of garbage that are ordered under pressure; each stops the process for a moment',
  }),
});

export type MemorySettings = SettingsOf<typeof memorySettings>;
