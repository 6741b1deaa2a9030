/**
 * `npm run bench:cache:strategies`: what strategies of each type answer on synthetic and recorded
 * traces, before and after a restart, over real levels, and what a read costs.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import {
  cacheMigrations,
  CacheHub,
  Caches,
  DiskStore,
  DiskTier,
  EvictionPolicyRegistry,
  type HubTierOptions,
  PolicySwitch,
  PostgresTier,
  PostgresVersionStore,
  SharedLevels,
  STRATEGY_TYPES,
  StrategyLevels,
  strategyOf,
  StrategyStore,
  type StrategyType,
} from '#libs/cache';
import { SystemClock } from '#libs/core';
import { poolOf } from '#libs/persistence';
import { type BenchDatabase, openBenchDatabase } from './support/bench-database.js';
import { ownCpuMs } from './support/cpu-meter.js';
import { printTable } from './support/print-table.js';
import { wholeNumber } from './support/whole-number.js';
import { builtInTraces } from './traces/catalogue.js';
import { startProgress } from './traces/progress.js';
import { workloadOfTrace } from './traces/workload.js';

const TRACES = ['zipf 0.7', 'zipf 0.9', 'zipf 1.1', 'scan', 'loop', 'shift', 'web07', 'domain'];
const MAX_BYTES = 512 * 1024;
/** Part of the reads that come after the restart. */
const AFTER = 0.25;

const HELP = `What strategies of each type answer on traces, before and after a restart.

  npm run bench:cache:strategies                          all traces, 4,000 reads of each
  npm run bench:cache:strategies -- --only web07,domain   some of them
  npm run bench:cache:strategies -- --reads 20000         more of each
  npm run bench:cache:strategies -- --json                one JSON document

Traces: ${TRACES.join(', ')}.
Memory is bounded to ${MAX_BYTES / 1024} KiB, so that it holds a part of the keys. The disk is a temporary folder;
the shared level is PostgreSQL (DATABASE_URL, or an embedded one). Loaders answer at once. "after" is
the last quarter of the reads, which a new process with the same levels answers.`;

interface Row {
  readonly trace: string;
  readonly type: StrategyType;
  readonly hitRatio: number;
  readonly memoryRatio: number;
  readonly afterRestart: number;
  readonly usPerRead: number;
  readonly cpuUsPerRead: number;
}

const clock = new SystemClock();
const policies = new EvictionPolicyRegistry();

/** One process with one strategy; what is below memory outlives it. */
function open(type: StrategyType, database: BenchDatabase, disk: DiskStore, name: string) {
  const sql = {
    query: (query: { text: string; values?: unknown[] }) => {
      const pool = poolOf(database.dataSource);
      if (pool === undefined) throw new Error('The database is not connected.');
      return pool.query(query);
    },
  };
  const postgres = (codec: SharedCodec): HubTierOptions[] => [
    { level: 'L3', tier: new PostgresTier({ sql, codec, clock }), timeoutMs: 5_000 },
  ];
  const files = (codec: SharedCodec): HubTierOptions[] => [
    { level: 'L4', tier: new DiskTier({ store: disk, codec, clock }), timeoutMs: 5_000 },
  ];
  const budget = 64 * 1024 * 1024;
  const budgets = {
    application: budget,
    database: budget,
    api: budget,
    content: budget,
    session: budget,
  };
  const hub = new CacheHub({ clock, versions: new PostgresVersionStore({ sql }) });
  const levels = new StrategyLevels(new SharedLevels(clock, {}, postgres, files));
  const strategy = strategyOf(name, type, { maxBytes: MAX_BYTES, ttlMs: 3_600_000 });
  const store = new StrategyStore(strategy, {
    caches: new Caches(hub, budgets),
    levels: levels.make(type),
    policy: new PolicySwitch(strategy.configuration.policy, (policy) => policies.get(policy)),
  });
  return { hub, store };
}

type SharedCodec = Parameters<SharedLevels['withCodec']>[0];

async function run(
  trace: string,
  type: StrategyType,
  reads: number,
  database: BenchDatabase,
  disk: DiskStore,
): Promise<Row> {
  const load = builtInTraces[trace];
  if (load === undefined) throw new Error(`There is no trace "${trace}": ${TRACES.join(', ')}.`);
  const whole = await load();
  const workload = workloadOfTrace({ ...whole, keys: whole.keys.slice(0, reads) });
  const name = `${trace}-${type}`.replaceAll(/[^a-z0-9]+/g, '-');
  const middle = Math.floor(workload.reads.length * (1 - AFTER));
  const part = async (from: number, to: number) => {
    const { hub, store } = open(type, database, disk, name);
    const startedMs = performance.now();
    const startedCpuMs = ownCpuMs();
    for (let at = from; at < to; at += 1) {
      const number = workload.reads[at] as number;
      const size = Math.round(workload.bytes[number] as number);
      await store.getOrSet(workload.keys[number] as string, () => 'x'.repeat(size));
    }
    await hub.drain();
    const usPerRead = ((performance.now() - startedMs) * 1_000) / (to - from);
    const cpuUsPerRead = ((ownCpuMs() - startedCpuMs) * 1_000) / (to - from);
    const [statistics] = store.statistics();
    await hub.close();
    const memoryHits = statistics?.l1Hits ?? 0;
    return { hitRatio: statistics?.hitRatio ?? 0, memoryHits, usPerRead, cpuUsPerRead };
  };
  const before = await part(0, middle);
  const after = await part(middle, workload.reads.length);
  return {
    trace,
    type,
    hitRatio: before.hitRatio,
    memoryRatio: before.memoryHits / middle,
    afterRestart: after.hitRatio,
    usPerRead: before.usPerRead,
    cpuUsPerRead: before.cpuUsPerRead,
  };
}

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: TRACES.join(',') },
    reads: { type: 'string', default: '4000' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) console.log(HELP);
else {
  const traces = values.only.split(',');
  const reads = wholeNumber('reads', values.reads);
  const directory = await mkdtemp(join(tmpdir(), 'pantheon-bench-disk-'));
  const disk = new DiskStore({ directory, maxBytes: 256 * 1024 * 1024, clock });
  const database = await openBenchDatabase({ entities: [], migrations: cacheMigrations });
  const progress = await startProgress(traces.length * STRATEGY_TYPES.length);
  const rows: Row[] = [];
  try {
    for (const trace of traces) {
      for (const type of STRATEGY_TYPES) {
        progress.advance(`${trace}, ${type}`);
        rows.push(await run(trace, type, reads, database, disk));
      }
    }
  } finally {
    progress.stop();
    await database.close();
    await rm(directory, { recursive: true, force: true });
  }
  if (values.json) {
    console.log(JSON.stringify({ node: process.version, reads, maxBytes: MAX_BYTES, rows }));
  } else {
    printTable(
      rows.map((row) => ({
        trace: row.trace,
        type: row.type,
        'hits %': row.hitRatio * 100,
        'of them in memory %': row.memoryRatio * 100,
        'after a restart %': row.afterRestart * 100,
        'µs a read': row.usPerRead,
        'CPU µs a read': row.cpuUsPerRead,
      })),
    );
  }
}
