import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const milliseconds = (min: number, max: number) => z.number().int().min(min).max(max);

/** Settings of queues, workers and schedules. */
export const jobsSettings = defineSettings('jobs', {
  databaseUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
    .optional()
    .meta({
      secret: true,
      description:
        'PostgreSQL that holds the jobs, when it is not that of the application or is reached past a transaction pooler, which cannot pass notifications on',
    }),
  inProcess: z.boolean().default(true).meta({
    description: 'Whether the API runs jobs itself; false when a worker process does',
  }),
  concurrency: z.number().int().min(1).max(1_000).default(4).meta({
    description: 'Most jobs of a queue that one process runs at once, unless the job says so',
  }),
  poolSize: z.number().int().min(1).max(100).default(3).meta({
    description:
      'Most connections to PostgreSQL for jobs, beside one for each queue that waits for notifications',
  }),
  timeoutMs: milliseconds(1, 2 ** 31 - 1)
    .default(300_000)
    .meta({ description: 'A run is aborted after this time, unless the job says otherwise' }),
  abortGraceMs: milliseconds(0, 600_000).default(3_000).meta({
    description: 'A run that does not end this long after it was aborted is given up',
  }),
  shutdownDeadlineMs: milliseconds(0, 600_000).default(8_000).meta({
    description: 'Running jobs may finish for this long at shutdown; then they are aborted',
  }),
  operationTimeoutMs: milliseconds(50, 60_000).default(3_000).meta({
    description: 'Longest wait of a request for the job store before it fails with 503',
  }),
  healthTimeoutMs: milliseconds(10, 60_000).default(1_000).meta({
    description: 'Longest wait of the health check for the job store',
  }),
  maxPayloadBytes: z.number().int().min(1_024).max(64_000_000).default(262_144).meta({
    description: 'Largest payload of a job, as JSON',
  }),
  lockDurationMs: milliseconds(500, 3_600_000).default(30_000).meta({
    description: 'A job whose process has died is taken over after about this time',
  }),
  stalledIntervalMs: milliseconds(100, 3_600_000).default(15_000).meta({
    description: 'How often workers look for jobs whose process has died',
  }),
  maxStalledCount: z.number().int().min(0).max(100).default(5).meta({
    description: 'A job during which its process died more often than this fails',
  }),
  pollIntervalMs: milliseconds(100, 60_000).default(5_000).meta({
    description: 'An idle worker looks for jobs this often, in case a notification was lost',
  }),
  purgeEveryMs: milliseconds(1_000, 86_400_000).default(3_600_000).meta({
    description: 'How often expired rows are deleted',
  }),
  purgeBatchRows: z.number().int().min(1).max(100_000).default(1_000).meta({
    description: 'Most expired rows that one statement deletes',
  }),
  boardSessionSeconds: z.number().int().min(10).max(86_400).default(900).meta({
    description: 'How long a browser may use the job board before it has to be opened again',
  }),
});

export type JobsSettings = SettingsOf<typeof jobsSettings>;
