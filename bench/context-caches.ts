/**
 * What the caches of `libs/context` save, for `npm run bench:context`: the manager cache beside none
 * and beside one that is keyed by the set of sources, repeated compiles, and preloading.
 */
import { CACHE_KINDS, CacheHub, type CacheKind, Caches } from '#libs/cache';
import { SettingsStore, type SettingsSection } from '#libs/config';
import {
  type CompileRequest,
  type Context,
  contextSettings,
  createContext,
  DEFAULT_PRELOAD_CONFIG,
  type DualStoreManager,
  makePantheonPersistenceAdapter,
  PostgresDualStoreManager,
  type SourceView,
} from '#libs/context';
import { AccessControl, newId, type Principal, SystemClock } from '#libs/core';
import type { BenchContext } from './support/bench-context.js';
import { ownCpuMs, serverCpuMs } from './support/cpu-meter.js';
import { percentilesOf } from './support/percentiles.js';
import { TraceRandom, Zipf } from './traces/random.js';

const MIB = 1024 * 1024;
const SEED = 7;
const USERS = 1000;
const TEAMS = 20;
/** A few users ask most: with this exponent a cache of ten sets has the hits of the requirement. */
const SKEW = 0.7;
const MAX_SETS = 10;
const COMPILES = 1000;
const ENTRIES_A_SOURCE = 3;

const TOPICS = ['tea', 'trains', 'tides', 'trees', 'toads', 'tiles', 'tunes', 'towns', 'tents'];
const PRELOADED_USERS = 20;
const MEMORIES_A_USER = 300;
const PRELOADED_ROWS = 50;
const PRELOAD_ROUNDS = 5;

export const CACHE_TARGETS = {
  fewerCallsPercent: 80,
  fasterPercent: 50,
  hitPercent: 90,
  preloadCpuMs: 4,
} as const;

/** One way to come by store managers, under one load. */
export interface ManagerCacheRow {
  readonly load: string;
  readonly cache: string;
  readonly calls: number;
  readonly fewerCallsPercent: number;
  readonly hitPercent: number;
  /** Of one compile; what the sources are read with is the same for all. */
  readonly meanMs: number;
  readonly fasterPercent: number;
  readonly cpuMs: number;
}

interface Contestant {
  readonly name: string;
  readonly compile: (set: readonly string[]) => Promise<unknown>;
  readonly calls: () => number;
}

class OpenAccess extends AccessControl {
  override isAllowed(): boolean {
    return true;
  }
}

/** The same services again, with everything kept in the memory of this process. */
export function openCachedContext({ database }: BenchContext): { context: Context; hub: CacheHub } {
  const sections: readonly SettingsSection[] = [contextSettings];
  const clock = new SystemClock();
  const hub = new CacheHub({ clock });
  const budgets = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, 64 * MIB])) as Record<
    CacheKind,
    number
  >;
  const context = createContext({
    dataSource: database.dataSource,
    settings: new SettingsStore(sections),
    clock,
    access: new OpenAccess(),
    caches: new Caches(hub, budgets),
  });
  return { context, hub };
}

/**
 * Compiles through the context port, over managers that are looked up in the database: 1,000 users
 * with a set of four sources each, of which one is their own and one their team's; and ten sets that
 * come again and again.
 */
export async function compareManagerCaches(bench: BenchContext): Promise<ManagerCacheRow[]> {
  const sources = await makeSources(bench);
  const random = new TraceRandom(SEED);
  const users = new Zipf(random, USERS, SKEW);
  const loads: readonly [string, () => readonly string[]][] = [
    ['ten sets', () => setOf(random.below(MAX_SETS))],
    ['1,000 users', () => setOf(users.draw())],
  ];
  const rows: ManagerCacheRow[] = [];
  for (const [load, next] of loads) {
    const sets = Array.from({ length: COMPILES }, next);
    rows.push(...(await compare(load, sets, contestants(bench, sources))));
  }
  return rows;
}

async function compare(
  load: string,
  sets: readonly (readonly string[])[],
  all: readonly Contestant[],
): Promise<ManagerCacheRow[]> {
  const spent = all.map(() => ({ ms: 0, cpuMs: 0 }));
  // In turns, so that what else the machine does meets all alike.
  for (const set of sets) {
    for (const [index, { compile }] of all.entries()) {
      const startedMs = performance.now();
      const startedCpuMs = ownCpuMs();
      await compile(set);
      const sum = spent[index] as { ms: number; cpuMs: number };
      sum.cpuMs += ownCpuMs() - startedCpuMs;
      sum.ms += performance.now() - startedMs;
    }
  }
  const uncached = { calls: all[0]?.calls() ?? 0, ms: spent[0]?.ms ?? 0 };
  return all.map(({ name, calls }, index): ManagerCacheRow => {
    const { ms, cpuMs } = spent[index] as { ms: number; cpuMs: number };
    return {
      load,
      cache: name,
      calls: calls(),
      fewerCallsPercent: 100 * (1 - calls() / uncached.calls),
      hitPercent: 100 * (1 - calls() / sets.length),
      meanMs: ms / sets.length,
      fasterPercent: 100 * (1 - ms / uncached.ms),
      cpuMs: cpuMs / sets.length,
    };
  });
}

function contestants(bench: BenchContext, sources: ReadonlySet<string>): Contestant[] {
  const lookUp = () => {
    let calls = 0;
    return {
      calls: () => calls,
      getStoreManagers: (): Promise<DualStoreManager[]> => {
        calls += 1;
        return findManagers(bench, sources);
      },
    };
  };
  const request = (set: readonly string[]) => ({
    sources: set.map((id) => ({ id, label: id })),
    recentLimit: 3,
    queryLimit: 0,
  });
  const none = lookUp();
  const uncached = makePantheonPersistenceAdapter(none, { ttl: 0 });
  const bySet = lookUp();
  const kept = new Map<string, DualStoreManager[]>();
  const own = lookUp();
  const cached = makePantheonPersistenceAdapter(own, { ttl: 600_000, maxSize: MAX_SETS });
  return [
    { name: 'none', calls: none.calls, compile: (set) => uncached.compile(request(set)) },
    {
      name: 'by set of sources',
      calls: bySet.calls,
      compile: async (set) => {
        const managers = await getBySet(kept, set, bySet.getStoreManagers);
        const adapter = makePantheonPersistenceAdapter(
          { getStoreManagers: () => Promise.resolve(managers) },
          { ttl: 0 },
        );
        return adapter.compile(request(set));
      },
    },
    { name: 'Pantheon', calls: own.calls, compile: (set) => cached.compile(request(set)) },
  ];
}

/** The usual cache: the ten sets used last, each with a fetch of its own. */
async function getBySet(
  kept: Map<string, DualStoreManager[]>,
  set: readonly string[],
  fetch: () => Promise<DualStoreManager[]>,
): Promise<DualStoreManager[]> {
  const key = [...set].sort().join(',');
  const known = kept.get(key);
  const names = new Set(set);
  const managers = known ?? (await fetch()).filter(({ name }) => names.has(name));
  kept.delete(key);
  kept.set(key, managers);
  for (const oldest of kept.keys()) {
    if (kept.size <= MAX_SETS) break;
    kept.delete(oldest);
  }
  return managers;
}

async function findManagers(
  { context, user }: BenchContext,
  names: ReadonlySet<string>,
): Promise<DualStoreManager[]> {
  const managers: DualStoreManager[] = [];
  let cursor: string | undefined;
  do {
    const page = await context.sources.list(user, {
      limit: 1000,
      ...(cursor === undefined ? {} : { cursor }),
    });
    for (const source of page.items as SourceView[]) {
      if (!names.has(source.name)) continue;
      managers.push(new PostgresDualStoreManager(source.name, source, context.stores));
    }
    cursor = page.nextCursor ?? undefined;
  } while (cursor !== undefined);
  return managers;
}

function setOf(user: number): string[] {
  return ['company', 'handbook', `team-${user % TEAMS}`, `user-${user}`];
}

async function makeSources({ context, user }: BenchContext): Promise<ReadonlySet<string>> {
  const names = new Set(Array.from({ length: USERS }, (_, index) => setOf(index)).flat());
  for (const name of names) {
    await context.sources.create(user, { name, kind: 'conversation', scope: 'organization' });
    await context.entries.bulkInsert(user, name, remarks(name, ENTRIES_A_SOURCE));
  }
  await context.stores.indexer.settle();
  return names;
}

async function* remarks(about: string, count: number) {
  for (let line = 1; line <= count; line += 1) {
    const topic = TOPICS[line % TOPICS.length];
    yield { line, entry: { text: `Remark ${line} on ${topic} in ${about}`, rating: line % 3 } };
  }
}

/** Compiles that come again, in process, from the first level. */
export async function measureRepeatedCompiles(
  { context }: { context: Context },
  user: Principal,
  requests: readonly CompileRequest[],
  rounds: number,
): Promise<{ readonly p50: number; readonly p95: number; readonly cpuMs: number }> {
  for (const request of requests) await context.compiler.compile(user, request);
  const latencies: number[] = [];
  const cpuMs = ownCpuMs();
  for (let round = 0; round < rounds; round += 1) {
    for (const request of requests) {
      const startedMs = performance.now();
      const { cache } = await context.compiler.compile(user, request);
      latencies.push(performance.now() - startedMs);
      if (cache !== 'L1') throw new Error(`a repeated compile came from ${cache}`);
    }
  }
  const { p50, p95 } = percentilesOf(latencies);
  return { p50, p95, cpuMs: (ownCpuMs() - cpuMs) / latencies.length };
}

export interface PreloadCost {
  readonly users: number;
  readonly rows: number;
  readonly cpuMs: number;
  readonly serverCpuMs: number | null;
  readonly meanMs: number;
}

/** Preloads of 50 memories out of 300, user by user. */
export async function measurePreload(
  { context }: { context: Context },
  bench: BenchContext,
): Promise<PreloadCost> {
  const owners = Array.from({ length: PRELOADED_USERS }, () => ({
    ...bench.user,
    userId: newId(),
  }));
  for (const owner of owners) {
    await context.memories.remember(owner, { text: 'First of all' });
    await context.entries.bulkInsert(owner, 'memories', remarks('life', MEMORIES_A_USER - 1));
  }
  await context.stores.indexer.settle();
  const config = { ...DEFAULT_PRELOAD_CONFIG, maxRows: PRELOADED_ROWS };
  let rows = 0;
  const preloadAll = async (): Promise<void> => {
    for (const owner of owners) {
      const source = await context.memories.sourceOf(owner, 'read');
      if (source === undefined) throw new Error('a user without memories');
      const loaded = await context.preloader.preload(source, config);
      rows += Object.values(loaded).reduce((sum, count) => sum + count, 0);
    }
  };
  await preloadAll();
  rows = 0;
  const startedMs = performance.now();
  const cpuMs = ownCpuMs();
  const serverMs = serverCpuMs(bench.database.serverPid);
  for (let round = 0; round < PRELOAD_ROUNDS; round += 1) await preloadAll();
  const count = PRELOAD_ROUNDS * PRELOADED_USERS;
  const endMs = serverCpuMs(bench.database.serverPid);
  return {
    users: count,
    rows: rows / count,
    cpuMs: (ownCpuMs() - cpuMs) / count,
    serverCpuMs: endMs === null || serverMs === null ? null : (endMs - serverMs) / count,
    meanMs: (performance.now() - startedMs) / count,
  };
}
