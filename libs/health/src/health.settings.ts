import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MEBIBYTE = 1024 * 1024;

/** Settings of the health checks. */
export const healthSettings = defineSettings('health', {
  port: z.number().int().min(0).max(65_535).optional().meta({
    description:
      'Port on which a thread of its own answers for the health, however busy the process is; 0 takes a free one',
  }),
  host: z.string().min(1).optional().meta({
    description: 'Address that the health port listens on; by default that of the API',
  }),
  stallMs: z.number().int().min(500).max(600_000).default(30_000).meta({
    description:
      'The health port calls a process stalled whose event loop has not turned for so long',
  }),
  scrapeTimeoutMs: z.number().int().min(100).max(60_000).default(5_000).meta({
    description: 'Longest wait of the health port for the metrics of the process',
  }),
  intervalMs: z.number().int().min(100).max(600_000).default(1_000).meta({
    description: 'Time between two checks of a component; answers give the last result',
  }),
  timeoutMs: z.number().int().min(50).max(60_000).default(1_000).meta({
    description: 'A component that does not answer for so long is down',
  }),
  diskPath: z.string().min(1).default('.').meta({
    description: 'Folder whose disk is watched',
  }),
  minFreeDiskBytes: z
    .number()
    .int()
    .min(0)
    .default(512 * MEBIBYTE)
    .meta({ live: true, description: 'With less free space the disk counts as degraded' }),
  maxMemoryRatio: z.number().min(0.1).max(1).default(0.9).meta({
    live: true,
    description:
      'Above this part of the nearest limit of memory (setting, cgroup, machine or heap) memory is degraded',
  }),
  maxEventLoopDelayMs: z.number().int().min(10).max(60_000).default(250).meta({
    live: true,
    description: 'Above this 99th percentile of delay the event loop counts as degraded',
  }),
});

export type HealthSettings = SettingsOf<typeof healthSettings>;
