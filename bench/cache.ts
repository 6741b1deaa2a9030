/**
 * `npm run bench:cache`: this engine beside other caches for Node, in one run with interleaved
 * rounds: a hit, a miss, 50 keys at once, the same from Redis, and the memory of an entry.
 * `--json` prints one JSON document. Redis is `REDIS_URL`, else the `redis-server` or
 * `valkey-server` on the PATH, else what needs it is left out.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import {
  type Contestant,
  makers,
  memoryContestants,
  redisContestants,
  versionOf,
} from './support/cache-contestants.js';
import { printTable } from './support/print-table.js';
import { startProgressBar } from './support/progress-bar.js';

const ITEMS = 10_000;
const KEYS = Array.from({ length: ITEMS }, (_, index) => `customer:${index}:profile`);
const HITS_A_ROUND = 10_000;
const MISSES_A_ROUND = 1_000;
const MANY = 50;
const MANY_A_ROUND = 200;
const REDIS_READS_A_ROUND = 200;
const ROUNDS = 31;
const REDIS_ROUNDS = 11;
const MEMORY_ITEMS = 100_000;
const BASELINE = 'async lru-cache get';
const PORT = 16_399;
const LIBRARIES = [
  'lru-cache',
  'cache-manager',
  'cacheable',
  'bentocache',
  'async-cache-dedupe',
  'layered-loader',
  'keyv',
  '@keyv/redis',
  'ioredis',
];

interface Row {
  readonly cache: string;
  readonly ns: number;
  readonly 'beside the first': number;
}

type Workload = (contestant: Contestant, round: number) => Promise<number>;

/**
 * ns of one operation. Rounds are taken in turn, so that noise hits all alike, and the lower quartile
 * of them counts: a shared machine only ever makes a round slower.
 */
async function compare(
  label: string,
  contestants: readonly Contestant[],
  rounds: number,
  workload: Workload,
): Promise<Row[]> {
  const samples = contestants.map((): number[] => []);
  const bar = await startProgressBar(label, rounds);
  for (let round = -3; round < rounds; round += 1) {
    for (const [index, contestant] of contestants.entries()) {
      const ns = await workload(contestant, round);
      if (round >= 0) samples[index]?.push(ns);
    }
    bar.update(Math.max(0, round + 1));
  }
  bar.stop();
  const quartiles = samples.map(
    (all) => all.sort((a, b) => a - b)[Math.floor(all.length / 4)] ?? Number.NaN,
  );
  return contestants.map(({ name }, index) => ({
    cache: name,
    ns: quartiles[index] as number,
    'beside the first': (quartiles[index] as number) / (quartiles[0] as number),
  }));
}

async function timed(count: number, run: () => Promise<void>): Promise<number> {
  const startedNs = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - startedNs) / count;
}

const load = (key: string): object => ({ id: key, name: 'Ada', tags: ['a', 'b'], visits: 7 });

const hit: Workload = (contestant, round) =>
  timed(HITS_A_ROUND, async () => {
    for (let index = 0; index < HITS_A_ROUND; index += 1) {
      await contestant.getOrSet(KEYS[(index * 7_919 + round + ITEMS) % ITEMS] as string, load);
    }
  });

const miss: Workload = (contestant, round) =>
  timed(MISSES_A_ROUND, async () => {
    for (let index = 0; index < MISSES_A_ROUND; index += 1) {
      await contestant.getOrSet(`miss:${round}:${index}`, load);
    }
  });

const many: Workload = (contestant, round) =>
  timed(MANY_A_ROUND, async () => {
    for (let index = 0; index < MANY_A_ROUND; index += 1) {
      const from = (index * MANY + round + ITEMS) % (ITEMS - MANY);
      await contestant.getMany?.(KEYS.slice(from, from + MANY));
    }
  });

const redisHit: Workload = (contestant) =>
  timed(REDIS_READS_A_ROUND, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND; index += 1) {
      await contestant.getOrSet(KEYS[index] as string, load);
    }
  });

const redisMany: Workload = (contestant) =>
  timed(REDIS_READS_A_ROUND / 10, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND / 10; index += 1) {
      await contestant.getMany?.(KEYS.slice(index, index + MANY));
    }
  });

/** Bytes of heap that an entry costs beside its key and value, in a process of its own. */
async function measureMemory(name: string): Promise<void> {
  const collect = (globalThis as unknown as { gc: () => void }).gc;
  const keys = Array.from({ length: MEMORY_ITEMS }, (_, index) => `customer:${index}:profile`);
  const value = load('shared');
  // Keys are flat strings before and after: looking one up has flattened it.
  const seen = new Set(keys);
  const make = makers(MEMORY_ITEMS).find(
    ([each]) => each === name,
  )?.[1] as () => Promise<Contestant>;
  // The code of the library is loaded and compiled before; its tables are not made before.
  await (await make()).getOrSet('first', () => value);
  collect();
  const before = process.memoryUsage();
  const contestant = await make();
  for (const key of keys) await contestant.getOrSet(key, () => value);
  // Timers and promises of the library end.
  await sleep(50);
  collect();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  // The entries are still there, so they have been measured.
  await contestant.getOrSet(keys[0] as string, () => value);
  console.log(JSON.stringify({ bytes: bytes / seen.size }));
  process.exit(0);
}

function memoryRows(
  names: readonly string[],
): { cache: string; 'bytes an entry': number; 'beside the first': number }[] {
  const bytes = names.map((name) => {
    const output = execFileSync(
      process.execPath,
      [...process.execArgv, '--expose-gc', fileURLToPath(import.meta.url), '--memory', name],
      { encoding: 'utf8' },
    );
    return (JSON.parse(output) as { bytes: number }).bytes;
  });
  return names.map((cache, index) => ({
    cache,
    'bytes an entry': Math.round(bytes[index] as number),
    'beside the first': (bytes[index] as number) / (bytes[0] as number),
  }));
}

/** A Redis to measure with, and what ends it. */
async function findRedis(): Promise<{ url: string; stop: () => void } | undefined> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') return { url: given, stop: () => undefined };
  for (const program of ['redis-server', 'valkey-server']) {
    const child: ChildProcess = spawn(
      program,
      ['--port', String(PORT), '--bind', '127.0.0.1', '--save', ''],
      { stdio: 'ignore' },
    );
    const isStarted = await new Promise<boolean>((resolve) => {
      child.once('error', () => resolve(false));
      child.once('spawn', () => resolve(true));
    });
    if (isStarted) return { url: `redis://127.0.0.1:${PORT}`, stop: () => child.kill() };
  }
  return undefined;
}

async function redisRows(): Promise<{ hit: Row[]; many: Row[] } | undefined> {
  const server = await findRedis();
  if (server === undefined) return undefined;
  const redis = new Redis(server.url, { lazyConnect: false });
  redis.on('error', () => undefined);
  try {
    const contestants = await redisContestants(redis, server.url);
    for (const contestant of contestants) {
      for (const key of KEYS.slice(0, REDIS_READS_A_ROUND + MANY))
        await contestant.set?.(key, load(key));
    }
    return {
      hit: await compare('hit in Redis', contestants, REDIS_ROUNDS, redisHit),
      many: await compare(
        '50 keys in Redis',
        contestants.filter((contestant) => contestant.getMany !== undefined),
        REDIS_ROUNDS,
        redisMany,
      ),
    };
  } finally {
    redis.disconnect();
    server.stop();
  }
}

async function main(): Promise<void> {
  const absent: Record<string, string> = {};
  const contestants = await memoryContestants(ITEMS, (name, error) => {
    absent[name] = String(error).split('\n')[0] ?? '';
  });
  for (const contestant of contestants) {
    for (const key of KEYS) await contestant.getOrSet(key, load);
  }
  const result = {
    node: process.version,
    cpu: cpus()[0]?.model ?? 'unknown',
    versions: Object.fromEntries(LIBRARIES.map((name) => [name, versionOf(name)])),
    absent,
    hit: await compare('hit', contestants, ROUNDS, hit),
    many: await compare(
      '50 keys',
      contestants.filter((contestant) => contestant.getMany !== undefined),
      ROUNDS,
      many,
    ),
    miss: await compare('miss', contestants, ROUNDS, miss),
    redis: await redisRows(),
    memory: memoryRows(contestants.map(({ name }) => name)),
  };
  if (process.argv.includes('--json')) {
    console.log(JSON.stringify(result));
    process.exit(0);
  }
  console.log(`Node ${result.node} on ${result.cpu}`);
  console.log(
    Object.entries(result.versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  for (const [name, why] of Object.entries(absent)) console.log(`Left out: ${name} (${why})`);
  console.log(`\nA hit in memory; the baseline is "${BASELINE}"\n`);
  printTable(result.hit);
  console.log(`${MANY} keys at once, all in memory\n`);
  printTable(result.many);
  console.log('A miss, with a loader that returns at once\n');
  printTable(result.miss);
  if (result.redis === undefined) console.log('No Redis: set REDIS_URL to measure with one.\n');
  else {
    console.log('A hit in Redis, one after the other\n');
    printTable(result.redis.hit);
    console.log(`${MANY} keys at once, all in Redis\n`);
    printTable(result.redis.many);
  }
  console.log(
    `Memory of an entry with its key's share of the tables; all share one value (${MEMORY_ITEMS} entries)\n`,
  );
  printTable(result.memory);
  process.exit(0);
}

const memoryOf = process.argv.indexOf('--memory');
await (memoryOf < 0 ? main() : measureMemory(process.argv[memoryOf + 1] ?? ''));
