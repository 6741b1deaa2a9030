import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of the threads for CPU work. */
export const workerSettings = defineSettings('workers', {
  minThreads: z.number().int().min(0).max(256).default(0).meta({
    description: 'Threads that are kept without work; each takes some 10 MB',
  }),
  maxThreads: z.number().int().min(0).max(256).default(0).meta({
    live: true,
    description:
      'Most threads that work at once; 0: one less than there are CPUs, and at least one',
  }),
  maxQueue: z.number().int().min(0).max(100_000).default(1_000).meta({
    live: true,
    description: 'Pieces of work that wait for a thread; the next one fails with 503 at once',
  }),
  growAfterMs: z.number().int().min(1).max(60_000).default(20).meta({
    live: true,
    description: 'A thread is added when work would wait for longer',
  }),
  idleMs: z.number().int().min(1).max(3_600_000).default(15_000).meta({
    live: true,
    description: 'A thread without work is ended after this time',
  }),
  taskTimeoutMs: z.number().int().min(100).max(3_600_000).default(120_000).meta({
    live: true,
    description: 'Longest time that a piece of work may take, the wait included',
  }),
  maxHeapMb: z.number().int().min(16).max(16_384).default(128).meta({
    live: true,
    description: 'Largest heap of a thread; work that needs more fails, and nothing else',
  }),
});

export type WorkerSettings = SettingsOf<typeof workerSettings>;
