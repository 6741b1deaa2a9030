/**
 * `npm run bench:prefetch`: what recording reads costs a hit, and what loading predicted keys ahead
 * does to the hit ratio, on sessions in simulated time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  AccessRecorder,
  type Cache,
  CacheHub,
  Prefetcher,
  resolvePrefetchOptions,
  SuccessorPredictor,
} from '#libs/cache';
import { BackgroundTasks, ManualClock, SystemClock } from '#libs/core';
import { ownCpuMs } from './support/cpu-meter.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { readSessionTrace } from './traces/read-trace.js';
import { linksTrace, routineTrace, type SessionTrace, unrelatedTrace } from './traces/sessions.js';

const HELP = `What recording reads costs a hit, and what prefetching does to the hit ratio.

  npm run bench:prefetch                   print two tables
  npm run bench:prefetch -- --ttl 60000    another life of entries, in ms
  npm run bench:prefetch -- --items 1000   another size of the cache, in entries
  npm run bench:prefetch -- --trace PATH   reads that npm run bench:record has recorded
  npm run bench:prefetch -- --json         one JSON document

Sessions in simulated time. The first three are models (bench/traces/sessions.ts):
  routine    users with habits and keys of their own
  links      pages that all share, with links that some prefer
  unrelated  nothing to learn: prefetching must do no harm
  api-reads  recorded: scripted clients of the whole API (bench/record-traffic.ts)`;

/** What `npm run bench:record` has recorded; seen from dist/bench. */
const RECORDED = new URL('../../bench/traces/data/api-reads.trace.gz', import.meta.url);
const ITEMS = 1_024;
const HITS = 20_000;
const ROUNDS = 41;

interface Cost {
  readonly read: string;
  readonly ns: number;
  readonly more: number;
}

/** CPU ns of a hit by who follows the reads; rounds in turn, and the lower quartile counts. */
async function costs(): Promise<Cost[]> {
  const clock = new SystemClock();
  const keys = Array.from({ length: ITEMS }, (_, index) => `customer:${index}:profile`);
  const recorder = (clientOf?: () => string) =>
    new AccessRecorder({ clock, capacity: 8_192, ...(clientOf === undefined ? {} : { clientOf }) });
  const contestants = [
    { read: 'nobody follows', cache: await filled(keys) },
    { read: 'recorded', cache: await filled(keys) },
    { read: 'recorded, learnt and looked ahead', cache: await filled(keys) },
  ] as const;
  contestants[1].cache.tap = recorder();
  const [, , { cache }] = contestants;
  cache.tap = prefetcherOf(cache, recorder(), clock, () => 'client');
  const samples = contestants.map((): number[] => []);
  const bar = await startProgressBar('hits', ROUNDS);
  for (let round = -3; round < ROUNDS; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const startedMs = ownCpuMs();
      for (let hit = 0; hit < HITS; hit += 1) {
        const key = keys[(hit * 389 + round + 3) % ITEMS] as string;
        await contestant.cache.getOrSet(key, () => 1);
      }
      const ns = ((ownCpuMs() - startedMs) * 1e6) / HITS;
      if (round >= 0) samples[index]?.push(ns);
    }
    bar.update(Math.max(0, round + 1));
  }
  bar.stop();
  const quartiles = samples.map(
    (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 4)] as number,
  );
  return contestants.map(({ read }, index) => ({
    read,
    ns: quartiles[index] as number,
    more: (quartiles[index] as number) - (quartiles[0] as number),
  }));
}

async function filled(keys: readonly string[]): Promise<Cache> {
  const cache = new CacheHub().cache('bench', { ttlMs: 3_600_000 });
  for (const key of keys) await cache.getOrSet(key, () => 1);
  return cache;
}

function prefetcherOf(
  cache: Cache,
  recorder: AccessRecorder,
  clock: ManualClock | SystemClock,
  clientOf: () => string | undefined,
  tasks = new BackgroundTasks((error) => {
    throw error;
  }),
): Prefetcher {
  return new Prefetcher({
    cache,
    recorder,
    predictor: new SuccessorPredictor(),
    source: { find: () => ({ load: () => 1 }) },
    clock,
    tasks,
    options: resolvePrefetchOptions({ maxPerSecond: 100 }),
    clientOf,
    isEnabled: () => true,
  });
}

interface Outcome {
  readonly hitRatio: number;
  readonly loads: number;
  readonly used: number;
  readonly wasted: number;
}

/** Sends the reads of a trace through caches, one for each namespace, in simulated time. */
async function simulate(
  { reads }: SessionTrace,
  isPrefetching: boolean,
  { ttlMs, items }: { ttlMs: number; items: number },
): Promise<Outcome> {
  const clock = new ManualClock(0);
  const hub = new CacheHub({ clock, clockResolutionMs: 0 });
  const tasks = new BackgroundTasks((error) => {
    throw error;
  });
  let client: string | undefined;
  const prefetchers: Prefetcher[] = [];
  const stopListening = hub.onOpened((cache) => {
    if (!isPrefetching) return;
    const recorder = new AccessRecorder({ clock, capacity: 0 });
    const prefetcher = prefetcherOf(cache, recorder, clock, () => client, tasks);
    cache.tap = prefetcher;
    prefetchers.push(prefetcher);
  });
  for (const read of reads) {
    clock.advance(Math.max(0, read.atMs - clock.nowMs()));
    ({ client } = read);
    const cache = hub.cache(`n${read.namespace}`, { ttlMs, jitter: 0, maxItems: items });
    await cache.getOrSet(read.key, () => 1);
    if (tasks.size > 0) {
      await nextTurn();
      await tasks.drain();
    }
  }
  stopListening();
  const all = hub.namespaces().map((namespace) => hub.cache(namespace).statistics(0));
  const counts = prefetchers.map((prefetcher) => prefetcher.counts());
  await hub.close();
  return {
    hitRatio: sum(all, ({ l1Hits }) => l1Hits) / reads.length,
    loads: sum(all, ({ loads }) => loads),
    used: sum(counts, ({ used }) => used),
    wasted: sum(counts, ({ wasted }) => wasted),
  };
}

function sum<Item>(items: readonly Item[], of: (item: Item) => number): number {
  return items.reduce((total, item) => total + of(item), 0);
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      trace: { type: 'string', default: fileURLToPath(RECORDED) },
      ttl: { type: 'string', default: '60000' },
      items: { type: 'string', default: '5000' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const bounds = { ttlMs: Number(values.ttl), items: Number(values.items) };
  const hits = await costs();
  const rows = [];
  const traces = [routineTrace, linksTrace, unrelatedTrace, () => readSessionTrace(values.trace)];
  for (const make of traces) {
    const trace = await make();
    const without = await simulate(trace, false, bounds);
    const ahead = await simulate(trace, true, bounds);
    rows.push({
      sessions: trace.name,
      reads: trace.reads.length,
      'hits without': without.hitRatio,
      'hits with': ahead.hitRatio,
      'loads with': ahead.loads / without.loads,
      used: ahead.used,
      wasted: ahead.wasted,
      useful: ahead.used / Math.max(1, ahead.used + ahead.wasted),
    });
  }
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, ...bounds, hits, rows }));
    return;
  }
  console.log(`Node ${process.version}\n\nCPU time of a hit in memory, by who follows the reads\n`);
  printTable(hits);
  console.log(
    `Sessions with entries that live ${bounds.ttlMs} ms in a cache of ${bounds.items}; loads beside those without\n`,
  );
  printTable(rows);
}

await main();
