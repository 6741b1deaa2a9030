import { defineSettings, type SettingsOf } from '#libs/config';
import { z } from 'zod';

/** Settings of the database connection and its limits. */
export const persistenceSettings = defineSettings('database', {
  url: z
    .string()
    .regex(/^postgres(ql)?:\/\//, 'must start with postgres:// or postgresql://')
    .optional()
    .meta({
      env: 'DATABASE_URL',
      secret: true,
      description: 'PostgreSQL to use; without it an embedded one is started',
    }),
  poolSize: z.number().int().min(2).max(500).default(20).meta({
    live: true,
    description: 'Most connections that one process opens to PostgreSQL',
  }),
  poolSizeMin: z.number().int().min(2).max(500).default(2).meta({
    live: true,
    description: 'Smallest pool that is ever advised',
  }),
  poolSizeMax: z.number().int().min(2).max(500).default(100).meta({
    live: true,
    description:
      'Largest pool that is ever advised; all processes together must fit into max_connections',
  }),
  maxWaiting: z.number().int().min(0).max(100_000).default(2_000).meta({
    description: 'Most callers that wait for a connection; the next one fails with 503 at once',
  }),
  acquireTimeoutMs: z.number().int().min(100).max(120_000).default(5_000).meta({
    description: 'Longest wait for a free or new connection before a request fails with 503',
  }),
  breakerTimeouts: z.number().int().min(1).max(1_000_000).default(3).meta({
    description:
      'Callers in a row without a connection in time, and none given back meanwhile, after which the next ones fail with 503 at once',
  }),
  breakerOpenMs: z.number().int().min(1).max(600_000).default(1_000).meta({
    description: 'Time after which one caller waits again to see whether the database answers',
  }),
  statementTimeoutMs: z.number().int().min(100).max(3_600_000).default(30_000).meta({
    description: 'PostgreSQL cancels a statement that runs longer',
  }),
  slowQueryMs: z.number().int().min(1).max(3_600_000).default(1_000).meta({
    live: true,
    description: 'A query that takes longer is logged with its plan; it is answered all the same',
  }),
  nPlusOneShare: z.number().min(0).max(1).default(0.1).meta({
    live: true,
    description: 'Part of the requests in which loops of queries are looked for',
  }),
  queryCache: z
    .string()
    .regex(
      /^$|^(?:\*|\w+)=\d{1,10}(?:,(?:\*|\w+)=\d{1,10})*$/,
      'must be table=ms pairs joined by commas',
    )
    .default('')
    .meta({
      live: true,
      description:
        'Tables whose query results may be cached, with the longest life in milliseconds: `author=60000,book=5000`; `*` stands for every other table',
    }),
  idleTimeoutMs: z.number().int().min(1_000).max(3_600_000).default(30_000).meta({
    description: 'An idle connection is closed after this time',
  }),
  idleInTransactionTimeoutMs: z.number().int().min(1_000).max(3_600_000).default(60_000).meta({
    description: 'PostgreSQL ends a session that idles inside a transaction for longer',
  }),
  preparedStatements: z.boolean().default(true).meta({
    description:
      'Whether statements that come again are prepared; false behind a pooler in transaction mode that does not know prepared statements',
  }),
  prepareAfterUses: z.number().int().min(0).max(1_000).default(3).meta({
    description: 'Executions on a connection after which a statement is prepared there',
  }),
  preparedPerConnection: z.number().int().min(1).max(10_000).default(200).meta({
    description: 'Most prepared statements of a connection; each takes memory of PostgreSQL',
  }),
  startTimeoutMs: z.number().int().min(0).max(600_000).default(30_000).meta({
    description: 'How long a start waits for a database that cannot be reached yet',
  }),
  migrateOnStart: z.boolean().default(true).meta({
    description: 'Whether the API and the worker run pending migrations when they start',
  }),
});

export type PersistenceSettings = SettingsOf<typeof persistenceSettings>;
