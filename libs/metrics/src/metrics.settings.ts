import { z } from 'zod';
import { defineSettings, type SettingsOf } from '#libs/config';

/** Settings of metrics: who may read them, and how much of them there may be. */
export const metricsSettings = defineSettings('metrics', {
  access: z.enum(['loopback', 'public', 'token']).default('loopback').meta({
    description:
      'Who may read /metrics without a token: programs on this machine, everybody, or nobody',
    live: true,
  }),
  token: z
    .string()
    .min(16)
    .optional()
    .meta({ description: 'Bearer token that opens /metrics', secret: true, live: true }),
  maxHttpLabelSets: z
    .int()
    .min(10)
    .max(1_000)
    .default(100)
    .meta({ description: 'Histograms by route, method and status class; further ones share one' }),
  maxHttpStatusSets: z
    .int()
    .min(10)
    .max(5_000)
    .default(200)
    .meta({ description: 'Counters by route, method and status; further ones share one' }),
  maxErrorCodes: z
    .int()
    .min(10)
    .max(1_000)
    .default(60)
    .meta({ description: 'Error codes that are counted apart' }),
  maxTrackedUsers: z
    .int()
    .min(100)
    .max(1_000_000)
    .default(20_000)
    .meta({ description: 'Users that are told apart when concurrent users are counted' }),
  collectorTimeoutMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(300)
    .meta({ description: 'Longest time for one group of figures; then it is null with a reason' }),
  streamIntervalMs: z
    .int()
    .min(100)
    .max(60_000)
    .default(1_000)
    .meta({ description: 'Time between two events of /v1/perf/metrics/stream' }),
  maxStreams: z
    .int()
    .min(1)
    .max(10_000)
    .default(50)
    .meta({ description: 'Clients of /v1/perf/metrics/stream at one time' }),
});

export type MetricsSettings = SettingsOf<typeof metricsSettings>;
