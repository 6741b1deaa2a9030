import { z } from 'zod';
import { MEMORY_PRESSURE_LEVELS } from '../memory/memory-pressure.js';

const bytes = z.int();
const level = z.enum(MEMORY_PRESSURE_LEVELS);

export const memorySchema = z.object({
  level: level.describe('shed: caches give memory back; critical: batch work is refused too'),
  bounds: z
    .array(
      z.object({
        source: z.enum(['setting', 'cgroup', 'machine', 'heap']),
        usedBytes: bytes,
        limitBytes: bytes,
        ratio: z.number(),
      }),
    )
    .describe('Whatever bounds the memory of the process; nearest to being reached first'),
  thresholds: z.object({ shedRatio: z.number(), criticalRatio: z.number() }),
  process: z.object({
    rssBytes: bytes,
    heapTotalBytes: bytes,
    heapUsedBytes: bytes,
    externalBytes: bytes,
    arrayBufferBytes: bytes,
  }),
  heapSpaces: z.array(z.object({ name: z.string(), usedBytes: bytes, committedBytes: bytes })),
  entered: z
    .object({ normal: z.int(), shed: z.int(), critical: z.int() })
    .describe('How often each level was entered since the start'),
  collections: z
    .object({
      count: z.int(),
      totalMs: z.number(),
      lastMs: z.number(),
      lastFreedBytes: bytes,
    })
    .describe('Collections of garbage that were ordered for want of memory'),
  gc: z
    .record(z.string(), z.unknown())
    .describe('All collections by kind, with count, total and longest pause'),
});

export type MemoryAnswer = z.infer<typeof memorySchema>;
