/**
 * `npm run bench:cache`: this engine beside other caches for Node, in one run with interleaved
 * rounds: a hit, a miss, 50 keys at once, the same from Redis, and the memory of an entry.
 */
import { execFileSync } from 'node:child_process';
import { cpus } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Redis } from 'ioredis';
import { startBenchRedis } from './support/bench-redis.js';
import {
  type Contestant,
  makers,
  memoryContestants,
  redisContestants,
  versionOf,
} from './support/cache-contestants.js';
import {
  MANY,
  MEMORY_ITEMS,
  type MemoryRow,
  printResult,
  type Result,
  type Row,
  verdictsOn,
} from './support/cache-report.js';
import { startProgressBar } from './support/progress-bar.js';
import { wholeNumber } from './support/whole-number.js';

const ITEMS = 10_000;
const KEYS = Array.from({ length: ITEMS }, (_, index) => `customer:${index}:profile`);
const HITS_A_ROUND = 10_000;
const MISSES_A_ROUND = 1_000;
const MANY_A_ROUND = 200;
const REDIS_READS_A_ROUND = 200;
const ROUNDS = 31;
const PARTS = ['hit', 'many', 'miss', 'redis', 'memory'];

const HELP = `This engine beside other caches for Node: time of one operation, and memory of an entry.

  npm run bench:cache                            everything, in about a minute
  npm run bench:cache -- --parts hit,redis       some of ${PARTS.join(', ')}
  npm run bench:cache -- --rounds 5              fewer rounds (default ${ROUNDS})
  npm run bench:cache -- --json                  one JSON document

Rounds are taken in turn and the lower quartile of them counts, so that a busy machine hits all
alike. In memory the time of the processor is measured, from Redis that of the clock, for which the
machine should be quiet. Redis is REDIS_URL, else the redis-server or valkey-server on the PATH, else what needs it is
left out. Memory is measured in a process of its own for each cache.`;

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

/** Of one operation, in ns: of the processor, so that a busy machine does not count. */
async function timed(count: number, run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

/** The same by the clock, for what waits for Redis. */
async function clocked(count: number, run: () => Promise<void>): Promise<number> {
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
  clocked(REDIS_READS_A_ROUND, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND; index += 1) {
      await contestant.getOrSet(KEYS[index] as string, load);
    }
  });

const redisMany: Workload = (contestant) =>
  clocked(REDIS_READS_A_ROUND / 10, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND / 10; index += 1) {
      await contestant.getMany?.(KEYS.slice(index, index + MANY));
    }
  });

/** Lets timers and promises end, and takes back what nobody holds. */
async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) {
    await sleep(50);
    (globalThis as unknown as { gc: () => void }).gc();
  }
}

/** In a function of its own, whose cache nobody holds afterwards. */
async function warmUp(make: () => Promise<Contestant>, value: object): Promise<void> {
  const contestant = await make();
  await contestant.getOrSet('first', () => value);
}

/** Bytes of heap that an entry costs beside its key and value, in a process of its own. */
async function measureMemory(name: string): Promise<void> {
  const keys = Array.from({ length: MEMORY_ITEMS }, (_, index) => `customer:${index}:profile`);
  const value = load('shared');
  // Keys are flat strings before and after: looking one up has flattened it.
  const seen = new Set(keys);
  const make = makers(MEMORY_ITEMS).find(
    ([each]) => each === name,
  )?.[1] as () => Promise<Contestant>;
  // The code of the library is loaded and compiled before; its tables are not made before.
  await warmUp(make, value);
  await settle();
  const before = process.memoryUsage();
  const contestant = await make();
  for (const key of keys) await contestant.getOrSet(key, () => value);
  await settle();
  const after = process.memoryUsage();
  const bytes = after.heapUsed + after.external - before.heapUsed - before.external;
  // The entries are still there, so they have been measured.
  await contestant.getOrSet(keys[0] as string, () => value);
  console.log(JSON.stringify({ bytes: bytes / seen.size }));
}

function memoryRows(names: readonly string[]): MemoryRow[] {
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

async function redisRows(rounds: number): Promise<{ hit: Row[]; many: Row[] } | undefined> {
  const server = await startBenchRedis();
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
      hit: await compare('hit in Redis', contestants, rounds, redisHit),
      many: await compare(
        '50 keys in Redis',
        contestants.filter((contestant) => contestant.getMany !== undefined),
        rounds,
        redisMany,
      ),
    };
  } finally {
    redis.disconnect();
    await server.stop();
  }
}

async function measure(
  parts: readonly string[],
  rounds: number,
  onAbsent: (name: string, error: unknown) => void,
): Promise<Result> {
  const contestants = await memoryContestants(ITEMS, onAbsent);
  for (const contestant of contestants) {
    for (const key of KEYS) await contestant.getOrSet(key, load);
  }
  const has = (part: string): boolean => parts.includes(part);
  const ofMany = contestants.filter((contestant) => contestant.getMany !== undefined);
  const redis = has('redis') ? await redisRows(rounds) : undefined;
  return {
    ...(has('hit') ? { hit: await compare('hit', contestants, rounds, hit) } : {}),
    ...(has('many') ? { many: await compare('50 keys', ofMany, rounds, many) } : {}),
    ...(has('miss') ? { miss: await compare('miss', contestants, rounds, miss) } : {}),
    ...(redis === undefined ? {} : { redis }),
    ...(has('memory') ? { memory: memoryRows(contestants.map(({ name }) => name)) } : {}),
  };
}

async function main(): Promise<void> {
  if (values.help) {
    console.log(HELP);
    return;
  }
  const parts = values.parts.split(',');
  const unknown = parts.filter((part) => !PARTS.includes(part));
  if (unknown.length > 0) {
    console.error(`--parts takes some of ${PARTS.join(', ')}, not "${unknown.join(', ')}".`);
    process.exitCode = 2;
    return;
  }
  const absent: Record<string, string> = {};
  const result = await measure(parts, wholeNumber('rounds', values.rounds), (name, error) => {
    absent[name] = String(error).split('\n')[0] ?? '';
  });
  const verdicts = verdictsOn(result);
  const node = process.version;
  const cpu = cpus()[0]?.model ?? 'unknown';
  const versions = Object.fromEntries(LIBRARIES.map((name) => [name, versionOf(name)]));
  if (values.json) {
    console.log(JSON.stringify({ node, cpu, versions, absent, ...result, verdicts }));
    return;
  }
  console.log(`Node ${node} on ${cpu}`);
  console.log(
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
  );
  for (const [name, why] of Object.entries(absent)) console.log(`Left out: ${name} (${why})`);
  printResult(result);
  if (parts.includes('redis') && result.redis === undefined) {
    console.log('\nNo Redis: set REDIS_URL to measure with one.');
  }
  console.log('');
  for (const { statement, value, limit, isMet } of verdicts) {
    console.log(
      `${isMet ? 'met   ' : 'MISSED'} ${statement}: ${value.toFixed(2)} (at most ${limit})`,
    );
  }
}

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: PARTS.join(',') },
    rounds: { type: 'string', default: String(ROUNDS) },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    memory: { type: 'string' },
  },
});
await (values.memory === undefined ? main() : measureMemory(values.memory));
// Libraries leave timers behind.
process.exit();
