/**
 * `npm run bench:context`: what a compile of three sources costs at 100,000 entries, in process,
 * how fast entries are written, and what the caches save. Ends with 1 when a target is missed.
 */
import { parseArgs } from 'node:util';
import type { CompileRequest, NewEntry } from '#libs/context';
import {
  CACHE_TARGETS,
  CACHE_TARGETS_TEXT,
  type CacheFigures,
  cachesSuffice,
  printCaches,
} from './context/cache-report.js';
import { compareManagerCaches } from './context/manager-caches.js';
import { measurePreload } from './context/preload-cost.js';
import { measureRepeatedCompiles, openCachedContext } from './context/repeated-compiles.js';
import { type CorpusSection, readMarkdownCorpus } from './corpus/markdown-corpus.js';
import { seededRandom } from './corpus/seeded-random.js';
import { type BenchContext, ingest, openBenchContext } from './support/bench-context.js';
import { ownCpuMs, serverCpuMs } from './support/cpu-meter.js';
import { type Percentiles, percentilesOf } from './support/percentiles.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const HELP = `Compile of three sources, in process, one at a time; writing; and what the caches save.

  npm run bench:context                       100,000 entries, 500 compiles of each kind
  npm run bench:context -- --entries 20000    fewer
  npm run bench:context -- --compiles 2000    more
  npm run bench:context -- --json             one JSON document

The entries are sections of node_modules/**/*.md; when these are used up, halves of two sections
are joined. Each compile asks for the heading of a section, with the defaults: 10 recent entries a
source, 5 texts, 20 messages. Nothing is cached in these.

The caches: store managers for ten sets of sources and for 1,000 users with a set of their own, beside
none and beside a cache of ten entries by set; a compile that comes again; and preloading 50 of 300
memories of a user.

PostgreSQL: DATABASE_URL, in a database of its own, or an embedded one in a temporary folder.
`;

const TARGET_P95_MS = 20;
const TARGET_INGEST_PER_SECOND = 5000;
const SOURCES = ['docs', 'notes', 'chat'] as const;
const SINGLE_INSERTS = 300;
const REPEATED_QUESTIONS = 50;
const REPEATS = 40;
const WARM_UP_COMPILES = 50;
const SEED = 1;
const MINUTE_MS = 60_000;

interface CompileCost {
  readonly kind: string;
  readonly latencyMs: Percentiles;
  readonly cpuMs: number;
  readonly serverCpuMs: number | null;
  readonly messages: number;
}

const { values: options } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    entries: { type: 'string', default: '100000' },
    compiles: { type: 'string', default: '500' },
  },
});

if (options.help) {
  process.stdout.write(HELP);
  process.exit();
}
const entries = wholeNumber('entries', options.entries);
const compiles = wholeNumber('compiles', options.compiles);
const bench = await openBenchContext({ managerCacheTtlMs: 0 });
try {
  await run(bench);
} finally {
  await bench.close();
}

async function run(bench: BenchContext): Promise<void> {
  const corpus = await readMarkdownCorpus();
  const headings = corpus.map(({ heading }) => heading).filter((heading) => heading !== '');
  const writing = await write(bench, corpus, entries);
  const random = seededRandom(SEED);
  const heading = (): string => headings[Math.floor(random() * headings.length)] ?? '';
  const sources = SOURCES.map((id) => ({ id }));
  const compiles = [
    await compile(bench, 'a question', () => ({ sources, texts: [heading()] })),
    await compile(bench, 'no question', () => ({ sources })),
    await compile(bench, 'under a condition', () => ({
      sources: SOURCES.map((id) => ({ id, where: { part: Math.floor(random() * 100) } })),
      texts: [heading()],
    })),
  ];
  const cached = openCachedContext(bench);
  const requests = Array.from({ length: REPEATED_QUESTIONS }, () => ({
    sources,
    texts: [heading()],
  }));
  const caches: CacheFigures = {
    repeated: await measureRepeatedCompiles(cached, bench.user, requests, REPEATS),
    managers: await compareManagerCaches(bench),
    preload: await measurePreload(cached, bench),
  };
  await cached.context.close();
  await cached.hub.close();
  const p95 = compiles[0]?.latencyMs.p95 ?? Number.NaN;
  const isMet =
    p95 < TARGET_P95_MS &&
    writing.bulkPerSecond >= TARGET_INGEST_PER_SECOND &&
    cachesSuffice(caches);
  if (!isMet) process.exitCode = 1;
  if (options.json) {
    const targets = {
      p95Ms: TARGET_P95_MS,
      ingestPerSecond: TARGET_INGEST_PER_SECOND,
      ...CACHE_TARGETS,
    };
    console.log(JSON.stringify({ ...writing, compiles, ...caches, targets, isMet }));
    return;
  }
  console.log(`PostgreSQL: ${bench.database.server}\n`);
  printTable([writing]);
  printTable(
    compiles.map(({ kind, latencyMs, cpuMs, serverCpuMs: serverMs, messages }) => ({
      compile: kind,
      'p50 ms': latencyMs.p50,
      'p95 ms': latencyMs.p95,
      'p99 ms': latencyMs.p99,
      'max ms': latencyMs.max,
      'CPU ms': cpuMs,
      'server CPU ms': serverMs ?? 'unknown',
      messages,
    })),
  );
  printCaches(caches);
  console.log(
    `Targets: p95 of a question < ${TARGET_P95_MS} ms, ingest >= ${TARGET_INGEST_PER_SECOND}/s, ` +
      `${CACHE_TARGETS_TEXT}: ${isMet ? 'met' : 'MISSED'}`,
  );
}

async function write(bench: BenchContext, corpus: readonly CorpusSection[], total: number) {
  const cpuMs = ownCpuMs();
  const serverMs = serverCpuMs(bench.database.serverPid);
  let entries = 0;
  let seconds = 0;
  for (const [index, source] of SOURCES.entries()) {
    const count = Math.floor((total * (index + 1)) / SOURCES.length) - entries;
    const bar = await startProgressBar(`ingest ${source}`, count);
    const batch = entriesOf(corpus, entries, count);
    const written = await ingest(bench, source, batch, (lines) => bar.update(lines));
    bar.stop();
    entries += written.report.inserted;
    seconds += written.seconds;
  }
  const ownMs = ownCpuMs() - cpuMs;
  const endMs = serverCpuMs(bench.database.serverPid);
  const serverUs =
    endMs === null || serverMs === null ? 'unknown' : ((endMs - serverMs) * 1000) / entries;
  const singlePerSecond = await writeOneByOne(bench, corpus);
  const bulkPerSecond = Math.round(entries / seconds);
  return {
    entries,
    bulkPerSecond,
    cpuUsPerEntry: (ownMs * 1000) / entries,
    serverCpuUsPerEntry: serverUs,
    singlePerSecond,
    bulkFactor: bulkPerSecond / singlePerSecond,
  };
}

/** Entries written one after the other, each acknowledged, as a client without bulk does. */
async function writeOneByOne(
  { context, user }: BenchContext,
  corpus: readonly CorpusSection[],
): Promise<number> {
  await context.sources.create(user, { name: 'single', kind: 'document' });
  const startedMs = performance.now();
  for (const entry of entriesOf(corpus, 0, SINGLE_INSERTS)) {
    await context.entries.add(user, 'single', entry);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  await context.stores.indexer.settle();
  await context.sources.delete(user, 'single');
  return Math.round(SINGLE_INSERTS / seconds);
}

function* entriesOf(
  corpus: readonly CorpusSection[],
  from: number,
  count: number,
): Generator<NewEntry> {
  const random = seededRandom(SEED + from);
  const startMs = Date.now() - (from + count) * MINUTE_MS;
  for (let index = from; index < from + count; index += 1) {
    const section = corpus[index % corpus.length];
    const other = corpus[Math.floor(random() * corpus.length)];
    if (section === undefined || other === undefined) return;
    yield {
      text: index < corpus.length ? section.text : `${half(section.text)}\n${half(other.body)}`,
      externalKey: String(index),
      occurredAt: new Date(startMs + index * MINUTE_MS).toISOString(),
      metadata: { path: section.document, part: index % 100 },
    };
  }
}

/** The first half of the lines, or of a single one. */
function half(text: string): string {
  const lines = text.split('\n');
  if (lines.length > 1) return lines.slice(0, Math.ceil(lines.length / 2)).join('\n');
  const words = text.split(' ');
  return words.slice(0, Math.ceil(words.length / 2)).join(' ');
}

async function compile(
  { context, user, database }: BenchContext,
  kind: string,
  request: () => CompileRequest,
): Promise<CompileCost> {
  const count = compiles;
  for (let index = 0; index < WARM_UP_COMPILES; index += 1) {
    await context.compiler.compile(user, request());
  }
  const bar = await startProgressBar(`compile with ${kind}`, count);
  const latencies: number[] = [];
  let messages = 0;
  const cpuMs = ownCpuMs();
  const serverMs = serverCpuMs(database.serverPid);
  for (let index = 0; index < count; index += 1) {
    const startedMs = performance.now();
    const answer = await context.compiler.compile(user, request());
    latencies.push(performance.now() - startedMs);
    messages += answer.messages.length;
    bar.update(index);
  }
  bar.stop();
  const ownMs = ownCpuMs() - cpuMs;
  const endMs = serverCpuMs(database.serverPid);
  return {
    kind,
    latencyMs: percentilesOf(latencies),
    cpuMs: ownMs / count,
    serverCpuMs: endMs === null || serverMs === null ? null : (endMs - serverMs) / count,
    messages: messages / count,
  };
}
