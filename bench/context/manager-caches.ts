/**
 * What the manager cache of the context port saves: beside none and beside one that is keyed by the
 * set of sources.
 */
import { type DualStoreManager, makePantheonPersistenceAdapter } from '#libs/context';
import type { BenchContext } from '../support/bench-context.js';
import { ownCpuMs } from '../support/cpu-meter.js';
import { TraceRandom, Zipf } from '../traces/random.js';
import { findManagers, makeSources, setOf, USERS } from './source-sets.js';

const SEED = 7;
/** A few users ask most: with this exponent a cache of ten sets has the hits of the requirement. */
const SKEW = 0.7;
const MAX_SETS = 10;
const COMPILES = 1000;

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
