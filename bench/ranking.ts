/**
 * `npm run bench:ranking`: how well the section of a heading is found by that heading, over the
 * Markdown of the installed packages. Ends with 1 when a target is missed.
 */
import { parseArgs } from 'node:util';
import type { NewEntry } from '#libs/context';
import { PostgresDualStoreManager } from '#libs/context';
import { type KnownItem, knownItems } from './corpus/known-items.js';
import { type CorpusSection, readMarkdownCorpus } from './corpus/markdown-corpus.js';
import { type BenchContext, ingest, openBenchContext } from './support/bench-context.js';
import { ownCpuMs, serverCpuMs } from './support/cpu-meter.js';
import { type Percentiles, percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const HELP = `Known-item search: the question is a heading, the answer its section.

  npm run bench:ranking                     600 headings, drawn with seed 1
  npm run bench:ranking -- --queries 1000   more of them
  npm run bench:ranking -- --seed 7         others of them
  npm run bench:ranking -- --json           one JSON document

Headings have three words or more and occur once in the corpus, which is node_modules/**/*.md. A
heading is part of its section, as a title is of its document. "heading removed" takes it out of
the answers and asks the same questions: then the body alone has to give the answer away, which it
often does not; it has no target.

PostgreSQL: DATABASE_URL, in a database of its own, or an embedded one in a temporary folder.
`;

const DEPTH = 10;
const TARGETS = { recallAt10: 0.9, mrr: 0.75 };
const WARM_UP_QUERIES = 50;
/** Shorter bodies cannot answer anything once their heading is taken away. */
const MIN_BODY_LENGTH = 40;

interface Quality {
  readonly variant: string;
  readonly queries: number;
  readonly recallAt1: number;
  readonly recallAt10: number;
  /** Of the first ten answers. */
  readonly mrr: number;
}

interface Cost {
  readonly latencyMs: Percentiles;
  readonly cpuMsPerQuery: number;
  readonly serverCpuMsPerQuery: number | null;
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    queries: { type: 'string', default: '600' },
    seed: { type: 'string', default: '1' },
  },
});

if (options.help) {
  process.stdout.write(HELP);
  process.exit();
}
const queries = wholeNumber('queries', options.queries);
const seed = wholeNumber('seed', options.seed);
const bench = await openBenchContext();
try {
  await run(bench);
} finally {
  await bench.close();
}

async function run(bench: BenchContext): Promise<void> {
  const corpus = await readMarkdownCorpus();
  const { eligible, items } = knownItems(corpus, queries, seed);
  if (items.length === 0) throw new Error('No heading to ask for: is node_modules there?');
  const { report, seconds } = await ingest(bench, 'sections', entriesOf(corpus));
  const whole = await ask(bench, 'sections', 'heading in its section', items);
  const answers = new Set(items.map(({ answer }) => answer));
  const bodies = corpus.map((section, place) =>
    answers.has(place) ? { ...section, text: section.body || '-' } : section,
  );
  await ingest(bench, 'bodies', entriesOf(bodies));
  const askable = items.filter(
    ({ answer }) => (corpus[answer]?.body.length ?? 0) >= MIN_BODY_LENGTH,
  );
  const hard = await ask(bench, 'bodies', 'heading removed', askable);
  const isMet = whole.quality.recallAt10 >= TARGETS.recallAt10 && whole.quality.mrr >= TARGETS.mrr;
  if (!isMet) process.exitCode = 1;
  const facts = {
    documents: new Set(corpus.map(({ document }) => document)).size,
    sections: corpus.length,
    eligibleHeadings: eligible,
    seed,
    ingestPerSecond: Math.round(report.inserted / seconds),
    server: bench.database.server,
  };
  if (options.json) {
    console.log(JSON.stringify({ ...facts, targets: TARGETS, isMet, variants: [whole, hard] }));
    return;
  }
  console.log(
    `${facts.sections} sections of ${facts.documents} documents, ${eligible} eligible headings, ` +
      `seed ${facts.seed}; ingested ${facts.ingestPerSecond}/s into PostgreSQL (${facts.server})\n`,
  );
  printTable([whole.quality, hard.quality]);
  printTable([whole, hard].map(costRow));
  console.log(
    `Targets: recall@10 >= ${TARGETS.recallAt10}, MRR >= ${TARGETS.mrr}: ${isMet ? 'met' : 'MISSED'}`,
  );
}

function costRow({ quality, cost }: { quality: Quality; cost: Cost }) {
  const { latencyMs, cpuMsPerQuery, serverCpuMsPerQuery } = cost;
  return {
    variant: quality.variant,
    'p50 ms': latencyMs.p50,
    'p95 ms': latencyMs.p95,
    'p99 ms': latencyMs.p99,
    'CPU ms': cpuMsPerQuery,
    'server CPU ms': serverCpuMsPerQuery ?? 'unknown',
  };
}

function* entriesOf(sections: readonly CorpusSection[]): Generator<NewEntry> {
  for (const [place, { text, document }] of sections.entries()) {
    yield { text, externalKey: String(place), metadata: { place, path: document } };
  }
}

async function ask(
  { context, user, database }: BenchContext,
  name: string,
  variant: string,
  items: readonly KnownItem[],
): Promise<{ quality: Quality; cost: Cost }> {
  const source = await context.sources.get(user, name);
  const manager = new PostgresDualStoreManager(name, source, context.stores);
  for (const { question } of items.slice(0, WARM_UP_QUERIES)) {
    await manager.getMostRelevant([question], DEPTH);
  }
  const bar = await startProgressBar(variant, items.length);
  const ranks: number[] = [];
  const latencies: number[] = [];
  const cpuMs = ownCpuMs();
  const serverMs = serverCpuMs(database.serverPid);
  for (const { question, answer } of items) {
    const startedMs = performance.now();
    const found = await manager.getMostRelevant([question], DEPTH);
    latencies.push(performance.now() - startedMs);
    ranks.push(found.findIndex(({ metadata }) => metadata?.['place'] === answer) + 1);
    bar.update(ranks.length);
  }
  bar.stop();
  const endMs = serverCpuMs(database.serverPid);
  const share = (isGood: (rank: number) => boolean): number =>
    ranks.filter(isGood).length / ranks.length;
  return {
    quality: {
      variant,
      queries: ranks.length,
      recallAt1: share((rank) => rank === 1),
      recallAt10: share((rank) => rank > 0),
      mrr: ranks.reduce((sum, rank) => sum + (rank > 0 ? 1 / rank : 0), 0) / ranks.length,
    },
    cost: {
      latencyMs: percentilesOf(latencies),
      cpuMsPerQuery: (ownCpuMs() - cpuMs) / ranks.length,
      serverCpuMsPerQuery:
        endMs === null || serverMs === null ? null : (endMs - serverMs) / ranks.length,
    },
  };
}
