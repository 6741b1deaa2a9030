/**
 * `npm run bench:prefetch`: what recording reads costs a hit, and what loading predicted keys ahead
 * does to the hit ratio, on sessions in simulated time.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
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
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';
import { linksTrace, routineTrace, type SessionTrace, unrelatedTrace } from './traces/sessions.js';

const HELP = `What recording reads costs a hit, and what prefetching does to the hit ratio.

  npm run bench:prefetch                   print two tables
  npm run bench:prefetch -- --ttl 60000    another life of entries, in ms
  npm run bench:prefetch -- --items 1000   another size of the cache, in entries
  npm run bench:prefetch -- --json         one JSON document

The sessions are models (bench/traces/sessions.ts) in simulated time:
  routine    users with habits and keys of their own
  links      pages that all share, with links that some prefer
  unrelated  nothing to learn: prefetching must do no harm`;

const ITEMS = 1_024;
const HITS = 20_000;
const ROUNDS = 41;

interface Cost {
  readonly read: string;
  readonly ns: number;
  readonly more: number;
}

/** ns of a hit by who follows the reads; rounds in turn, and the lower quartile counts. */
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
      const startedNs = process.hrtime.bigint();
      for (let hit = 0; hit < HITS; hit += 1) {
        const key = keys[(hit * 389 + round + 3) % ITEMS] as string;
        await contestant.cache.getOrSet(key, () => 1);
      }
      const ns = Number(process.hrtime.bigint() - startedNs) / HITS;
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
  clientOf: () => string,
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
  readonly prefetcher: Prefetcher | undefined;
}

/** Sends the reads of a trace through a cache, in simulated time. */
async function simulate(
  { reads }: SessionTrace,
  isPrefetching: boolean,
  { ttlMs, items }: { ttlMs: number; items: number },
): Promise<Outcome> {
  const clock = new ManualClock(0);
  const hub = new CacheHub({ clock, clockResolutionMs: 0 });
  const cache = hub.cache('bench', { ttlMs, jitter: 0, maxItems: items });
  const tasks = new BackgroundTasks((error) => {
    throw error;
  });
  let client = '';
  const recorder = new AccessRecorder({ clock, capacity: 0 });
  const prefetcher = isPrefetching
    ? prefetcherOf(cache, recorder, clock, () => client, tasks)
    : undefined;
  cache.tap = prefetcher;
  for (const read of reads) {
    clock.advance(Math.max(0, read.atMs - clock.nowMs()));
    ({ client } = read);
    await cache.getOrSet(read.key, () => 1);
    if (tasks.size > 0) {
      await nextTurn();
      await tasks.drain();
    }
  }
  const { l1Hits, loads } = cache.statistics();
  await hub.close();
  return { hitRatio: l1Hits / reads.length, loads, prefetcher };
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
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
  for (const make of [routineTrace, linksTrace, unrelatedTrace]) {
    const trace = make();
    const without = await simulate(trace, false, bounds);
    const with_ = await simulate(trace, true, bounds);
    const counts = with_.prefetcher?.counts();
    const { used = 0, wasted = 0 } = counts ?? {};
    rows.push({
      sessions: trace.name,
      reads: trace.reads.length,
      'hits without': without.hitRatio,
      'hits with': with_.hitRatio,
      'loads with': with_.loads / without.loads,
      used,
      wasted,
      'useful share': used / Math.max(1, used + wasted),
      confidence: counts?.confidence ?? 0,
    });
  }
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, ...bounds, hits, rows }));
    return;
  }
  console.log(`Node ${process.version}\n\nA hit in memory, by who follows the reads\n`);
  printTable(hits);
  console.log(
    `Sessions with entries that live ${bounds.ttlMs} ms in a cache of ${bounds.items}; loads beside those without\n`,
  );
  printTable(rows);
}

await main();
