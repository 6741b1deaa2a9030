import { z } from 'zod';

const ms = z.number().nullable().describe('Milliseconds; null when nothing was recorded');

const summarySchema = z.object({
  count: z.int(),
  perSecond: z.number(),
  p50Ms: ms,
  p95Ms: ms,
  p99Ms: ms,
  averageMs: ms,
  maxMs: ms,
  failures: z.int().describe('Answers with a status of 500 or more'),
});

const totalSchema = summarySchema.extend({
  failureRatio: z.number().nullable(),
  errorsByCode: z.record(z.string(), z.int()).describe('Problems answered, by their code'),
  users: z.int().describe('Distinct users'),
  peakInFlight: z.int(),
});

function windowsOf<Summary extends z.ZodType>(summary: Summary) {
  return z.object({ '1m': summary, '5m': summary, '15m': summary });
}

const figuresSchema = z.record(
  z.string(),
  z.union([
    z.number(),
    z.string(),
    z.boolean(),
    z.null(),
    z.record(z.string(), z.number().nullable()),
  ]),
);

/** What `/v1/perf/metrics` answers. */
export const metricsSnapshotSchema = z
  .object({
    at: z.iso.datetime(),
    service: z.string(),
    uptimeSeconds: z.int(),
    http: z.object({
      inFlight: z.int(),
      usersAreAtLeast: z
        .boolean()
        .describe('Whether there were more users than are told apart (metrics.maxTrackedUsers)'),
      windows: windowsOf(totalSchema),
    }),
    routes: z.array(
      z.object({ route: z.string(), method: z.string(), windows: windowsOf(summarySchema) }),
    ),
    figures: z
      .record(z.string(), figuresSchema.nullable())
      .describe('Figures by collector; null for those in unavailable'),
    unavailable: z.record(z.string(), z.string()).describe('Why figures are null'),
  })
  .meta({ id: 'Metrics' });

export type MetricsSnapshot = z.infer<typeof metricsSnapshotSchema>;

export type RouteSnapshot = MetricsSnapshot['routes'][number];
