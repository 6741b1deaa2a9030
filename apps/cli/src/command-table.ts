import type { CommandSpec, OptionSpec } from './command-spec.js';

const databaseUrl: OptionSpec = {
  flags: '--database-url <url>',
  description: 'PostgreSQL to use (default: DATABASE_URL, else the embedded one in .pantheon/)',
};
/** Every command of `pantheon`, in the order in which help lists them. */
export const commandTable: readonly CommandSpec[] = [
  {
    name: 'config check',
    summary: 'validate the settings; exits 1 with the path and reason of each fault',
    options: [],
    examples: [
      { line: 'pantheon config check', does: 'validate the settings file and the environment' },
      { line: 'pantheon config check --json', does: 'the same for machines' },
    ],
    load: async () => (await import('./commands/config.command.js')).configCheck,
  },
  {
    name: 'config show',
    summary: 'print every setting with its value (secrets masked), origin and variable',
    options: [],
    examples: [{ line: 'pantheon config show', does: 'the settings in force' }],
    load: async () => (await import('./commands/config.command.js')).configShow,
  },
  {
    name: 'migrate',
    summary: 'run pending database migrations',
    options: [databaseUrl],
    examples: [{ line: 'pantheon migrate', does: 'bring the database up to date' }],
    load: async () => (await import('./commands/migrate.command.js')).migrateDatabase,
  },
];
