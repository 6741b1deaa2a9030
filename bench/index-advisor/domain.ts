import { poolOf } from '#libs/persistence';
import { type BenchContext, ingest, openBenchContext } from '../support/bench-context.js';
import type { AdvisorOptions, AdvisorReport, CaseStatement } from './measure-advice.js';
import { measureAdvice } from './measure-advice.js';

const SOURCES = 10;
const ENTRIES = 3_000;
const REPEATS = 20;
const WORDS = ['tea', 'train', 'tide', 'tree', 'toad', 'tile', 'tune', 'town', 'tent', 'test'];
/** Statements that are timed: those asked most often. */
const MAX_STATEMENTS = 12;

/**
 * The tables of the domain with what its services ask of them. The index by which the recent entries
 * of a source are found is taken away, one is made twice, and one is made that nobody reads.
 */
export async function measureDomain({ scale, rounds }: AdvisorOptions): Promise<AdvisorReport> {
  const bench = await openBenchContext();
  try {
    for (let source = 0; source < SOURCES; source += 1) {
      await ingest(bench, `source-${source}`, entriesOf(source, ENTRIES * scale));
    }
    const { dataSource, url, server } = bench.database;
    const statements = await record(bench);
    for (const sql of [
      'DROP INDEX context_entry_recent',
      `CREATE INDEX planted_terms ON entry_index USING gin (terms) WHERE terms IS NOT NULL`,
      'CREATE INDEX planted_hash ON context_entry (content_hash, created_at)',
      'VACUUM ANALYZE',
    ]) {
      await dataSource.query(sql);
    }
    return await measureAdvice(
      {
        name: 'The domain',
        server,
        url,
        rows: SOURCES * ENTRIES * scale,
        statements,
        missing: ['context_entry(source_id)'],
        superfluous: ['public.planted_terms', 'public.planted_hash'],
      },
      rounds,
    );
  } finally {
    await bench.close();
  }
}

/** What the real services send, with the parameters of each call. */
async function record({
  context,
  user,
  database,
}: BenchContext): Promise<readonly CaseStatement[]> {
  const byText = new Map<string, (readonly unknown[])[]>();
  const leave = poolOf(database.dataSource)?.observe({
    started: ({ text, values }) => {
      if (!/^\s*(?:select|with)\b/i.test(text)) return undefined;
      byText.set(text, [...(byText.get(text) ?? []), values]);
      return undefined;
    },
  });
  for (let source = 0; source < SOURCES; source += 1) {
    const name = `source-${source}`;
    await context.sources.get(user, name);
    await context.entries.page(user, name, { limit: 50 });
    const texts = [WORDS[source] ?? 'tea'];
    await context.compiler.compile(user, { sources: [{ id: name }], texts });
  }
  leave?.();
  return [...byText]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .slice(0, MAX_STATEMENTS)
    .map(([sql, calls]) => ({
      label: labelOf(sql),
      sql,
      parameters: Array.from({ length: REPEATS }, () => calls).flat(),
    }));
}

function labelOf(sql: string): string {
  const line = sql.replaceAll(/\s+/g, ' ').replaceAll('"', '').trim();
  const [, table = ''] = / from (\w+)/i.exec(line) ?? [];
  return `${table}: ${line.slice(0, 40)}…`;
}

function* entriesOf(
  source: number,
  count: number,
): Generator<{ text: string; occurredAt: string }> {
  const startMs = Date.UTC(2026, 0, 1);
  for (let entry = 0; entry < count; entry += 1) {
    yield {
      text: `The ${WORDS[entry % WORDS.length]} number ${entry} of source ${source}`,
      occurredAt: new Date(startMs + ((entry * 7919) % count) * 60_000).toISOString(),
    };
  }
}
