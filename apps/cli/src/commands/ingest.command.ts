import { resolve } from 'node:path';
import { z } from 'zod';
import type { CommandIo, Outcome } from '../command-spec.js';
import { gitInput } from '../ingest/git-input.js';
import type { IngestInput } from '../ingest/ingest-input.js';
import { ingestInto } from '../ingest/ingest-into.js';
import { outcomeOf } from '../ingest/ingest-report.js';
import { markdownInput } from '../ingest/markdown-input.js';
import { parseOptions } from '../parse-options.js';
import { withContext } from '../with-context.js';

const optionsSchema = z
  .object({
    glob: z.array(z.string().min(1)).optional(),
    git: z.string().min(1).optional(),
    source: z
      .string()
      .regex(/^[A-Za-z0-9_-]{1,128}$/, 'must be 1 to 128 letters, digits, _ and -')
      .optional(),
    prune: z.boolean().default(false),
    user: z.string().optional(),
    databaseUrl: z.string().optional(),
  })
  .refine(({ glob, git }) => (glob === undefined) !== (git === undefined), {
    path: ['glob'],
    message: 'give either --glob or --git',
  });

type IngestOptions = z.infer<typeof optionsSchema>;

const DEFAULT_SOURCES = { document: 'documents', conversation: 'commits' } as const;

/** Puts Markdown files or a commit log into a source; see the command table. */
export async function ingest(given: unknown, io: CommandIo): Promise<Outcome> {
  const options = parseOptions(optionsSchema, given);
  // Looked at first, so that a mistyped pattern or folder costs no database.
  const input = await openInput(options, io);
  const source = options.source ?? DEFAULT_SOURCES[input.kind];
  return withContext({ ...options, writes: true }, io, async (context) =>
    outcomeOf(await ingestInto(context, { source, input, prune: options.prune }, io)),
  );
}

function openInput({ glob, git }: IngestOptions, io: CommandIo): Promise<IngestInput> {
  return glob === undefined
    ? gitInput(resolve(io.cwd, git ?? '.'), io.signal)
    : markdownInput(glob, io.cwd);
}
