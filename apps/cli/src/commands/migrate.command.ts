import { z } from 'zod';
import { jobsSettings, migrateJobStore } from '#libs/jobs';
import { migrate, redisSettings } from '#libs/persistence';
import type { CommandIo, Outcome } from '../command-spec.js';
import { parseOptions } from '../parse-options.js';
import { withDatabase } from '../with-database.js';

const optionsSchema = z.object({ databaseUrl: z.string().optional() });

/** Runs pending migrations, also when the API and the worker do not run them at their start. */
export async function migrateDatabase(options: unknown, io: CommandIo): Promise<Outcome> {
  const { databaseUrl } = parseOptions(optionsSchema, options);
  return withDatabase(databaseUrl, io, { migrateOnStart: false }, async ({ dataSource, store }) => {
    const applied = await migrate(dataSource);
    applied.push(
      ...(await migrateJobStore(store.get(jobsSettings), store.get(redisSettings), dataSource)),
    );
    return {
      data: { applied },
      text:
        applied.length === 0
          ? 'The database is up to date.'
          : [`Applied ${applied.length} migrations:`, ...applied].join('\n  '),
    };
  });
}
