/**
 * `npm run bench:l1`: what the memory level costs beside a bare Map and lru-cache: CPU time per
 * operation in rounds that alternate between all of them, and memory per entry.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { LRUCache } from 'lru-cache';
import { EvictionPolicyRegistry, MemoryStore } from '#libs/cache';
import { median } from './support/cpu-per-request.js';
import { printTable } from './support/print-table.js';

const HELP = `CPU time per operation and memory per entry of the memory level of the cache.

  npm run bench:l1                       a table
  npm run bench:l1 -- --rounds 9         fewer rounds (default 31)
  npm run bench:l1 -- --json             one JSON document

Caches of 10,000 entries. "hit" reads keys that are there, in random order; "set" replaces their
values; "evicting set" puts in keys that are not there, each of which makes another one leave.
Memory is measured with 100,000 entries in a process of its own for each cache, without keys and
values. All caches run in one process, so the policies that need a call for each hit pay for there
being so many of them.`;

const ITEMS = 10_000;
const MEASURED_ITEMS = 100_000;
const OPERATIONS = 100_000;
const TTL_MS = 3_600_000;
const WARM_UP_ROUNDS = 3;

interface Contestant {
  get(key: string): unknown;
  set(key: string, value: object): unknown;
}

const registry = new EvictionPolicyRegistry();
const VALUE = { id: 1 };
const entry = { weightBytes: 64 };
const expiringEntry = { weightBytes: 64, ttlMs: TTL_MS };

/** Makers by name, for a number of entries. */
const contestants: Record<string, (max: number) => Contestant> = {
  Map: () => new Map<string, object>(),
  'lru-cache': (max) => new LRUCache<string, object>({ max }),
  'lru-cache, ttl': (max) => new LRUCache<string, object>({ max, ttl: TTL_MS }),
};
for (const policy of registry.names) {
  contestants[policy] = (max) => {
    const store = storeOf(policy, max);
    return {
      get: (key) => store.get(key),
      set: (key, value) => store.set(key, value, entry),
    };
  };
}
contestants['s3-fifo, ttl'] = (max) => {
  const store = storeOf('s3-fifo', max);
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value, expiringEntry),
  };
};
contestants['s3-fifo, measured'] = (max) => {
  const store = storeOf('s3-fifo', max);
  return { get: (key) => store.get(key), set: (key, value) => store.set(key, value) };
};

function storeOf(policy: string, maxItems: number): MemoryStore<object> {
  return new MemoryStore<object>({
    maxItems,
    maxBytes: Number.POSITIVE_INFINITY,
    policy: registry.get(policy),
  });
}

/** The loops of one contestant, compiled for it alone, so that its calls can be inlined. */
interface Loops {
  hit(cache: Contestant, keys: readonly string[]): void;
  set(cache: Contestant, keys: readonly string[], value: object): void;
}

function compileLoops(): Loops {
  const loop = (body: string): ((...args: never) => void) =>
    // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- a function of its own is the point
    new Function('cache', 'keys', 'value', `for (let i = 0; i < keys.length; i += 1) ${body}`) as (
      ...args: never
    ) => void;
  return {
    hit: loop('if (cache.get(keys[i]) === undefined) throw new Error("no hit");'),
    set: loop('cache.set(keys[i], value);'),
  };
}

interface Measured {
  readonly hit: number[];
  readonly set: number[];
  readonly evictingSet: number[];
}

/** Nanoseconds of CPU time per operation, round by round. */
function measure(rounds: number): Map<string, Measured> {
  const present = keysOf('present', ITEMS);
  const order = Array.from(
    { length: OPERATIONS },
    (_, index) => present[(index * 7_919 + (index >> 4) * 104_729) % ITEMS] as string,
  );
  const subjects = Object.entries(contestants).map(([name, create]) => {
    const cache = create(ITEMS);
    for (const key of present) cache.set(key, VALUE);
    return { name, cache, evicting: create(ITEMS), loops: compileLoops() };
  });
  const results = new Map<string, Measured>(
    subjects.map(({ name }) => [name, { hit: [], set: [], evictingSet: [] }]),
  );
  for (let round = -WARM_UP_ROUNDS; round < rounds; round += 1) {
    const fresh = keysOf(`round ${round}`, OPERATIONS);
    // Each second round goes backwards: what the machine does slowly hits all alike.
    for (const { name, cache, evicting, loops } of round % 2 === 0
      ? subjects
      : subjects.toReversed()) {
      const hit = cpuNsPer(() => loops.hit(cache, order));
      const set = cpuNsPer(() => loops.set(cache, order, VALUE));
      // A Map evicts nothing: it would only grow.
      const evictingSet =
        name === 'Map' ? Number.NaN : cpuNsPer(() => loops.set(evicting, fresh, VALUE));
      if (round < 0) continue;
      const result = results.get(name) as Measured;
      result.hit.push(hit);
      result.set.push(set);
      result.evictingSet.push(evictingSet);
    }
  }
  return results;
}

function keysOf(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}:item:${index}`);
}

function cpuNsPer(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / OPERATIONS;
}

/** Bytes per entry, in this process, which has done nothing else. */
function measureMemory(name: string): number {
  const keys = keysOf('key', 2 * MEASURED_ITEMS);
  const collectGarbage = (globalThis as { gc?: () => void }).gc;
  const inUse = (): number => {
    collectGarbage?.();
    collectGarbage?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const create = contestants[name] as (max: number) => Contestant;
  const before = inUse();
  const cache = create(MEASURED_ITEMS);
  // A Map has no bound; the others have evicted as many as they hold.
  for (const key of name === 'Map' ? keys.slice(0, MEASURED_ITEMS) : keys) cache.set(key, VALUE);
  const bytes = (inUse() - before) / MEASURED_ITEMS;
  return cache.get(keys[0] as string) === null ? 0 : bytes;
}

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '31' },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
    memory: { type: 'string' },
  },
});

function main(): void {
  if (values.help) {
    console.log(HELP);
    return;
  }
  if (values.memory !== undefined) {
    console.log(measureMemory(values.memory));
    return;
  }
  const measured = measure(Number(values.rounds));
  const reference = measured.get('lru-cache') as Measured;
  const ratio = (own: readonly number[], other: readonly number[]): number =>
    median(own.map((value, round) => value / (other[round] ?? Number.NaN)));
  const script = fileURLToPath(import.meta.url);
  const rows = [...measured].map(([cache, own]) => ({
    cache,
    'hit ns': median(own.hit),
    'x lru-cache': ratio(own.hit, reference.hit),
    'set ns': median(own.set),
    'evicting set ns': median(own.evictingSet),
    'x lru-cache ': ratio(own.evictingSet, reference.evictingSet),
    'bytes an entry': Number(
      execFileSync(process.execPath, ['--expose-gc', script, `--memory=${cache}`]).toString(),
    ),
  }));
  const versions = {
    node: process.version,
    'lru-cache': lruCacheVersion(),
  };
  if (values.json) {
    console.log(JSON.stringify({ versions, rows }));
    return;
  }
  console.log(
    `Node ${versions.node}, lru-cache ${versions['lru-cache']}; medians of ${values.rounds} rounds:`,
  );
  printTable(rows);
}

/** Its package file is not among its exports; seen from dist/bench. */
function lruCacheVersion(): string {
  const file = new URL('../../node_modules/lru-cache/package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

main();
