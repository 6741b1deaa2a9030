import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MIB = 1024 * 1024;
const milliseconds = (max: number) => z.number().int().min(1).max(max);
const DAY_MS = 86_400_000;

/** Settings of the index advisor: what it may use, and how careful changes are. */
export const indexAdvisorSettings = defineSettings('indexAdvisor', {
  schedule: z.string().min(9).max(100).optional().meta({
    description:
      'When indexes are analysed by themselves, as a cron pattern in UTC such as `0 4 * * 0`; without it never',
  }),
  budgetBytes: z
    .number()
    .int()
    .min(MIB)
    .max(2 ** 50)
    .default(1024 * MIB)
    .meta({ live: true, description: 'Bytes that all recommended indexes may take together' }),
  timeMs: milliseconds(3_600_000).default(60_000).meta({
    live: true,
    description: 'Time for planning and choosing; more makes the choice better',
  }),
  minStatisticsDays: z.number().min(0).max(365).default(14).meta({
    live: true,
    description: 'An index counts as unused when nothing read it for this long',
  }),
  lockWaitMs: milliseconds(60_000).default(3_000).meta({
    live: true,
    description: 'Longest wait for the lock of a table, and of others for a build, which then ends',
  }),
  maxWaitMs: milliseconds(DAY_MS).default(600_000).meta({
    live: true,
    description: 'How long a build waits for transactions that were open before it',
  }),
  maxBuildMs: milliseconds(7 * DAY_MS)
    .default(21_600_000)
    .meta({
      live: true,
      description: 'Longest build of an index',
    }),
  maxTransactionAgeMs: milliseconds(7 * DAY_MS)
    .default(1_800_000)
    .meta({
      live: true,
      description: 'No index is built while a transaction is open for longer than this',
    }),
  verifyAfterMs: milliseconds(7 * DAY_MS)
    .default(3_600_000)
    .meta({
      live: true,
      description: 'When a new index is judged by what its statements take, and then again',
    }),
  verifyWithinMs: milliseconds(90 * DAY_MS)
    .default(7 * DAY_MS)
    .meta({
      live: true,
      description:
        'After this time a new index is judged for good; one that nothing reads is removed',
    }),
  minCalls: z.number().int().min(1).max(1_000_000).default(20).meta({
    live: true,
    description: 'Calls of a statement since an index was built before its mean says anything',
  }),
  minGain: z.number().min(0).max(1).default(0.05).meta({
    live: true,
    description: "Share of its statements' time that a new index must save, or it is removed",
  }),
});

export type IndexAdvisorSettings = SettingsOf<typeof indexAdvisorSettings>;
