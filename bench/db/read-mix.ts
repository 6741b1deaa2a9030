import { CACHE_KINDS, CachedQueryResultStore, CacheHub, type CacheKind, Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import { createDataSource, persistenceSettings, poolOf, QueryCache } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import { type BenchContext, ingest } from '../support/bench-context.js';
import { serverCpuMs } from '../support/cpu-meter.js';
import { startProgressBar } from '../support/progress-bar.js';
import { TraceRandom, Zipf } from '../traces/random.js';
import { inTurns, timed, verdict } from './variants.js';

const TARGET = 0.5;
const SOURCES = 10;
const ENTRIES = 2_000;
const REPEATS = 20;
const SKEW = 0.9;
const BUDGET_BYTES = 64 * 1024 * 1024;
const WORDS = ['tea', 'train', 'tide', 'tree', 'toad', 'tile', 'tune', 'town', 'tent', 'test'];

interface Sent {
  readonly text: string;
  readonly values: readonly unknown[];
}

/**
 * The statements that the domain sends when contexts are compiled, sources listed and entries paged,
 * recorded from the real services and asked for again with the skew of users: without the layer, with
 * prepared statements, and with the query cache too.
 */
export async function measureReadMix(
  bench: BenchContext,
  rounds: number,
): Promise<Record<string, string | number>[]> {
  const sent = await record(bench);
  const mix = skewed(sent);
  const bare = await open(bench, { preparedStatements: false });
  const prepared = await open(bench, { preparedStatements: true });
  const pool = poolOf(prepared);
  if (pool === undefined) throw new Error('The database is not connected.');
  const hub = new CacheHub();
  const budgets = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, BUDGET_BYTES]));
  const queries = new QueryCache({
    store: new CachedQueryResultStore(new Caches(hub, budgets as Record<CacheKind, number>)),
    pool,
    clock: new SystemClock(),
    isOn: () => true,
    ttlMs: () => 60_000,
  });
  const ask = async (dataSource: DataSource): Promise<void> => {
    for (const { text, values } of mix) await dataSource.query(text, [...values]);
  };
  const cpu = { bare: 0, prepared: 0, cached: 0 };
  const turn = (name: keyof typeof cpu, work: () => Promise<void>) => async (): Promise<number> => {
    const before = serverCpuMs(bench.database.serverPid) ?? Number.NaN;
    const ms = await timed(work);
    cpu[name] += (serverCpuMs(bench.database.serverPid) ?? Number.NaN) - before;
    return ms / mix.length;
  };
  try {
    for (const dataSource of [bare, prepared]) await ask(dataSource);
    await queries.cached(() => ask(prepared));
    const bar = await startProgressBar('read mix', rounds * 3);
    let turns = 0;
    const ms = await inTurns(
      {
        bare: turn('bare', () => ask(bare)),
        prepared: turn('prepared', () => ask(prepared)),
        cached: turn('cached', () => queries.cached(() => ask(prepared))),
      },
      rounds,
      () => bar.update((turns += 1)),
    );
    bar.stop();
    const row = (layer: string, name: keyof typeof cpu, target = '', met = '') => ({
      layer,
      statements: new Set(sent.map(({ text }) => text)).size,
      meanMs: ms[name],
      ratio: ms[name] / ms.bare,
      serverCpuMs: cpu[name] / rounds / mix.length,
      target,
      verdict: met,
    });
    return [
      row('none', 'bare'),
      row('prepared statements', 'prepared'),
      row('and the query cache', 'cached', `≤ ${TARGET}`, verdict(ms.cached / ms.bare <= TARGET)),
    ];
  } finally {
    queries.close();
    await hub.close();
    await Promise.all([bare.destroy(), prepared.destroy()]);
  }
}

async function record(bench: BenchContext): Promise<Sent[]> {
  const { context, user, database } = bench;
  for (let source = 0; source < SOURCES; source += 1) {
    await ingest(bench, `source-${source}`, entriesOf(source));
  }
  const sent: Sent[] = [];
  const leave = poolOf(database.dataSource)?.observe({
    started: ({ text, values }) => {
      if (/^\s*(?:select|with)\b/i.test(text)) sent.push({ text, values });
      return undefined;
    },
  });
  for (let source = 0; source < SOURCES; source += 1) {
    const name = `source-${source}`;
    await context.sources.get(user, name);
    await context.entries.page(user, name, { limit: 50 });
    await context.compiler.compile(user, {
      sources: [{ id: name }],
      texts: [WORDS[source] ?? 'tea'],
    });
  }
  leave?.();
  return sent;
}

function* entriesOf(source: number): Generator<{ text: string }> {
  for (let entry = 0; entry < ENTRIES; entry += 1) {
    yield { text: `The ${WORDS[entry % WORDS.length]} number ${entry} of source ${source}` };
  }
}

/** Some statements are asked for much more often than others. */
function skewed(sent: readonly Sent[]): Sent[] {
  const zipf = new Zipf(new TraceRandom(7), sent.length, SKEW);
  return Array.from({ length: sent.length * REPEATS }, () => sent[zipf.draw()] as Sent);
}

async function open(
  { database }: BenchContext,
  settings: Readonly<Record<string, unknown>>,
): Promise<DataSource> {
  const store = new SettingsStore([persistenceSettings], { overrides: { database: settings } });
  const parts = { entities: [], migrations: [] };
  const dataSource = createDataSource(database.url, store.get(persistenceSettings), parts);
  await dataSource.initialize();
  return dataSource;
}
