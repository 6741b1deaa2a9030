import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

const MIB = 1024 * 1024;
const milliseconds = (min: number, max: number) => z.number().int().min(min).max(max);
const share = (percent: number) => z.number().min(0).max(100).default(percent);

const lifeOf = (level: string) =>
  milliseconds(1, 31_536_000_000)
    .optional()
    .meta({
      live: true,
      description: `Longest life in the ${level} level of what is stored from then on; without it as the entry says`,
    });

/** Settings of the cache: levels, budgets, lifetimes, what protects them. */
export const cacheSettings = defineSettings('cache', {
  l1MaxBytes: z
    .number()
    .int()
    .min(1 * MIB)
    .max(4_096 * MIB)
    .default(128 * MIB)
    .meta({
      live: true,
      description: 'Bound of the first level, the memory of the process, over all namespaces',
    }),
  applicationShare: share(15).meta({
    live: true,
    description: 'Part of the first level for namespaces of kind application; parts are relative',
  }),
  databaseShare: share(25).meta({
    live: true,
    description: 'Part of the first level for results of queries',
  }),
  apiShare: share(25).meta({
    live: true,
    description: 'Part of the first level for whole responses',
  }),
  contentShare: share(25).meta({
    live: true,
    description: 'Part of the first level for compiled contexts and other content',
  }),
  sessionShare: share(10).meta({
    live: true,
    description: 'Part of the first level for principals and what belongs to one user',
  }),
  maxTags: z.number().int().min(1_000).max(10_000_000).default(100_000).meta({
    description:
      'Most tags and keys whose versions the process knows; entries with one that was not asked for of late are loaded anew',
  }),
  restoreEveryMs: milliseconds(10, 600_000).default(5_000).meta({
    live: true,
    description:
      'After pressure on the memory the first level gets half as much again at this interval, until it has its bound',
  }),
  l2: z.boolean().default(true).meta({
    description: 'Whether Redis, when there is one, is the second level',
  }),
  l3: z.boolean().default(true).meta({
    description: 'Whether PostgreSQL is the third level',
  }),
  l2TimeoutMs: milliseconds(1, 60_000).default(200).meta({
    live: true,
    description: 'Longest wait for Redis; without an answer the next level is asked',
  }),
  l3TimeoutMs: milliseconds(1, 60_000).default(500).meta({
    live: true,
    description: 'Longest wait for PostgreSQL; without an answer the value is loaded',
  }),
  l2InUse: z.boolean().default(true).meta({
    live: true,
    description: 'Whether the second level is read and filled; deletions reach it also when not',
  }),
  l3InUse: z.boolean().default(true).meta({
    live: true,
    description: 'Whether the third level is read and filled; deletions reach it also when not',
  }),
  l1TtlMs: lifeOf('first'),
  l2TtlMs: lifeOf('second'),
  l3TtlMs: lifeOf('third'),
  breakerFailures: z.number().int().min(1).max(1_000).default(5).meta({
    description: 'Failures in a row after which a level is left alone',
  }),
  breakerOpenMs: milliseconds(10, 600_000).default(1_000).meta({
    description: 'For how long a failing level is left alone before it is tried again',
  }),
  heartbeatMs: milliseconds(50, 60_000).default(1_000).meta({
    description: 'How often a process tells the others that it is there',
  }),
  ackTimeoutMs: milliseconds(10, 60_000).default(500).meta({
    description: 'Longest wait for the other processes to confirm an invalidation',
  }),
  outOfSyncTtlMs: milliseconds(0, 600_000).default(5_000).meta({
    description: 'Longest life in the first level while invalidations of others cannot arrive',
  }),
  leaseMs: milliseconds(100, 600_000).default(10_000).meta({
    description: 'A load that all processes wait for is handed to another one after this time',
  }),
  compressFromBytes: z
    .number()
    .int()
    .min(64)
    .max(64 * MIB)
    .default(2_048)
    .meta({
      description: 'Values of at least this size are compressed outside the process, when it pays',
    }),
  encryptionKeys: z
    .string()
    .regex(
      /^[\w-]{1,64}:[A-Za-z0-9+/]{43}=(,[\w-]{1,64}:[A-Za-z0-9+/]{43}=)*$/,
      'must be id:key pairs joined by commas, each key 32 bytes in base64',
    )
    .optional()
    .meta({
      secret: true,
      description:
        'AES-256 keys for entries outside the process, as `id:base64` joined by commas; the first encrypts, all decrypt',
    }),
  disk: z.boolean().default(true).meta({
    description: 'Whether this machine keeps files for cache strategies of type disk',
  }),
  diskDirectory: z.string().min(1).default('.pantheon/cache').meta({
    description: 'Folder for them; processes of one machine may share it',
  }),
  diskMaxBytes: z
    .number()
    .int()
    .min(1 * MIB)
    .max(2 ** 40)
    .default(256 * MIB)
    .meta({ description: 'Bytes of all files in it; the oldest leave beyond' }),
  diskTimeoutMs: milliseconds(1, 60_000).default(500).meta({
    description: 'Longest wait for the disk; without an answer the value is loaded',
  }),
  maxStrategies: z.number().int().min(0).max(1_000).default(100).meta({
    live: true,
    description: 'Most cache strategies that can be made',
  }),
  strategyPollMs: milliseconds(100, 3_600_000).default(30_000).meta({
    description: 'How often strategies are read anew, in case a message about a change was lost',
  }),
  strategyOptimizeWindowMs: milliseconds(10, 600_000).default(2_000).meta({
    live: true,
    description: 'For how long the counters of a strategy are watched before and after a change',
  }),
  strategyLeaseMs: milliseconds(1_000, 3_600_000).default(60_000).meta({
    description:
      'A strategy whose optimisation was cut off by a crash gets its status back after this time',
  }),
  autoTuneEveryMs: milliseconds(0, 86_400_000).default(3_600_000).meta({
    description: 'How often active strategies are optimised by themselves; 0 for never',
  }),
  notifyUrl: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
    .optional()
    .meta({
      secret: true,
      description:
        'Address of the same database for LISTEN, when the usual one is a pooler that shares connections',
    }),
  freeze: z.boolean().optional().meta({
    description:
      'Whether stored objects are frozen, so that a reader who changes one fails; by default unless NODE_ENV is production',
  }),
});

export type CacheSettings = SettingsOf<typeof cacheSettings>;
