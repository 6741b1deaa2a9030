import { z } from 'zod';
import type { CommandIo, Outcome } from '../command-spec.js';
import { parseOptions } from '../parse-options.js';
import { renderTable } from '../render-table.js';
import { type ContextAccess, withContext } from '../with-context.js';

const optionsSchema = z.object({
  source: z.array(z.string().min(1)).min(1, 'name at least one source'),
  text: z.array(z.string().min(1)).optional(),
  limit: z.coerce.number().int().min(0).optional(),
  explain: z.boolean().default(false),
  user: z.string().optional(),
  databaseUrl: z.string().optional(),
});

/** Compiles a context as `POST /v1/contexts/compile` does and prints its messages. */
export async function contextCompile(given: unknown, io: CommandIo): Promise<Outcome> {
  const { source, text, limit, explain, ...access } = parseOptions(optionsSchema, given);
  return withContext(access, io, async ({ principal, compiler }) => {
    const { messages, report, timings } = await compiler.compile(principal, {
      sources: source.map((id) => ({ id })),
      texts: text,
      limit,
      explain,
    });
    const blocks = messages.map(({ role, content }) => `[${role}] ${content}`);
    return {
      data: { messages, report, timings },
      text: [...blocks, ...(explain ? [explanation(report)] : [])].join('\n\n'),
    };
  });
}

type Report = Awaited<ReturnType<ContextAccess['compiler']['compile']>>['report'];

function explanation({ explain = [] }: Report): string {
  const [first] = explain;
  const terms = Object.keys(first?.terms ?? {});
  return renderTable(
    ['message', 'source', 'score', ...terms],
    explain.map(({ source, score, terms: values }, index) => [
      String(index + 1),
      source,
      score.toFixed(3),
      ...Object.values(values).map((value: number) => value.toFixed(3)),
    ]),
  );
}
