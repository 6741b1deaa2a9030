import type { CommandSpec, OptionSpec } from './command-spec.js';

const databaseUrl: OptionSpec = {
  flags: '--database-url <url>',
  description: 'PostgreSQL to use (default: DATABASE_URL, else the embedded one in .pantheon/)',
};
const adviseUrl: OptionSpec = {
  flags: '--url <url>',
  description: 'PostgreSQL to advise on (default: the database of Pantheon)',
};
const user: OptionSpec = {
  flags: '--user <email>',
  description: 'act as this user, in their organization (default: the first administrator)',
};

/** Every command of `pantheon`, in the order in which help lists them. */
export const commandTable: readonly CommandSpec[] = [
  {
    name: 'ingest',
    summary: 'put Markdown files or a commit log into a source',
    details: `Give --glob for Markdown files (an entry for each section) or --git for the commit log of a
repository (an entry for each commit). Run it again at any time: what is there already stays
as it is, changed sections are updated, and an interrupted run goes on where it ended.`,
    options: [
      { flags: '--glob <pattern...>', description: 'Markdown files to read, below this folder' },
      { flags: '--git <folder>', description: 'repository whose commit log to read' },
      {
        flags: '--source <name>',
        description: 'source to write to, made if missing (default: documents, or commits)',
      },
      {
        flags: '--prune',
        description: 'delete entries of earlier runs that are gone from the input',
      },
      user,
      databaseUrl,
    ],
    examples: [
      {
        line: "pantheon ingest --glob 'node_modules/**/*.md'",
        does: 'the documents of every installed package, as the source "documents"',
      },
      { line: 'pantheon ingest --git .', does: 'the commits of this repository, as "commits"' },
      {
        line: "pantheon ingest --glob 'docs/**/*.md' --source handbook --prune",
        does: 'keep a source equal to a folder',
      },
    ],
    load: async () => (await import('./commands/ingest.command.js')).ingest,
  },
  {
    name: 'context compile',
    summary: 'compile a context from sources and print its messages',
    options: [
      { flags: '--source <name...>', description: 'sources to compile from' },
      { flags: '--text <text...>', description: 'what the context is about' },
      { flags: '--limit <count>', description: 'most messages (default: 20)' },
      { flags: '--explain', description: 'say how each message got its rank' },
      user,
      databaseUrl,
    ],
    examples: [
      {
        line: "pantheon context compile --source documents --text 'keyset pagination' --limit 5",
        does: 'the five messages that serve the question best',
      },
    ],
    load: async () => (await import('./commands/context-compile.command.js')).contextCompile,
  },
  {
    name: 'index advise',
    summary: 'advise which indexes to build and which to remove, by planning the workload',
    details: `Plans what the database is asked (pg_stat_statements) on a copy of its statistics, with and
without indexes that do not exist yet. On the database itself nothing runs but queries of its
catalogs. --apply builds the indexes while the database is in use; it removes none.`,
    options: [
      adviseUrl,
      {
        flags: '--budget <size>',
        description: 'most that the new indexes may take (default: 1 GiB)',
      },
      { flags: '--time <seconds>', description: 'time for planning and choosing (default: 60)' },
      {
        flags: '--min-days <days>',
        description: 'an index is unused when nothing read it for so long (default: 14)',
      },
      { flags: '--apply', description: 'build what is advised' },
      databaseUrl,
    ],
    examples: [
      { line: 'pantheon index advise', does: 'advice on the database of Pantheon' },
      {
        line: 'pantheon index advise --url postgres://reader@db.example/shop --budget 5GB --json',
        does: 'advice on any PostgreSQL from version 13 on, as JSON',
      },
    ],
    load: async () => (await import('./commands/index-advise.command.js')).indexAdvise,
  },
  {
    name: 'index schema',
    summary: 'say what should be different about tables: types, NOT NULL, foreign keys, bloat',
    options: [adviseUrl, databaseUrl],
    examples: [
      { line: 'pantheon index schema', does: 'findings with the statements that mend them' },
    ],
    load: async () => (await import('./commands/index-schema.command.js')).indexSchema,
  },
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
