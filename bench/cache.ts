/**
 * `npm run bench:cache`: this engine beside other caches for Node, in one run with interleaved
 * rounds: a hit, a miss, 50 keys at once, the same from Redis, and the memory of an entry.
 */
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compare } from './cache/compare.js';
import { measureMemory, memoryRows } from './cache/entry-memory.js';
import { redisRows } from './cache/redis-rows.js';
import { hit, ITEMS, KEYS, load, many, miss } from './cache/workloads.js';
import { memoryContestants, versionOf } from './support/cache-contestants.js';
import { printResult, type Result, verdictsOn } from './support/cache-report.js';
import { wholeNumber } from './support/whole-number.js';

const PROGRAM = fileURLToPath(import.meta.url);
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

async function measure(
  parts: readonly string[],
  rounds: number,
  onAbsent: (name: string, error: unknown) => void,
): Promise<Result> {
  const contestants = await memoryContestants(ITEMS, onAbsent);
  for (const contestant of contestants) {
    for (const key of KEYS) await contestant.getOrSet(key, load);
  }
  const names = contestants.map(({ name }) => name);
  const has = (part: string): boolean => parts.includes(part);
  const ofMany = contestants.filter((contestant) => contestant.getMany !== undefined);
  const redis = has('redis') ? await redisRows(rounds) : undefined;
  return {
    ...(has('hit') ? { hit: await compare('hit', contestants, rounds, hit) } : {}),
    ...(has('many') ? { many: await compare('50 keys', ofMany, rounds, many) } : {}),
    ...(has('miss') ? { miss: await compare('miss', contestants, rounds, miss) } : {}),
    ...(redis === undefined ? {} : { redis }),
    ...(has('memory') ? { memory: memoryRows(PROGRAM, names) } : {}),
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
