/** What it costs to compile again what the first level of the cache has. */
import { CACHE_KINDS, CacheHub, type CacheKind, Caches } from '#libs/cache';
import { SettingsStore, type SettingsSection } from '#libs/config';
import { type CompileRequest, type Context, contextSettings, createContext } from '#libs/context';
import { AccessControl, type Principal, SystemClock } from '#libs/core';
import type { BenchContext } from '../support/bench-context.js';
import { ownCpuMs } from '../support/cpu-meter.js';
import { percentilesOf } from '../support/percentiles.js';

const MIB = 1024 * 1024;

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

/** Of one compile, in ms. */
export interface RepeatedCompiles {
  readonly p50: number;
  readonly p95: number;
  readonly cpuMs: number;
}

/** Compiles that come again, in process, from the first level. */
export async function measureRepeatedCompiles(
  { context }: { context: Context },
  user: Principal,
  requests: readonly CompileRequest[],
  rounds: number,
): Promise<RepeatedCompiles> {
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
