/** What `npm run bench:context` says about caches, and whether that is good enough. */
import { printTable } from '../support/print-table.js';
import type { ManagerCacheRow } from './manager-caches.js';
import type { PreloadCost } from './preload-cost.js';
import type { RepeatedCompiles } from './repeated-compiles.js';

export const CACHE_TARGETS = {
  fewerCallsPercent: 80,
  fasterPercent: 50,
  hitPercent: 90,
  preloadCpuMs: 4,
} as const;

/** The targets as a sentence goes on with them. */
export const CACHE_TARGETS_TEXT =
  `managers fetched ${CACHE_TARGETS.fewerCallsPercent} % less often, compiles ` +
  `${CACHE_TARGETS.fasterPercent} % faster, hits > ${CACHE_TARGETS.hitPercent} %, a preload < ` +
  `${CACHE_TARGETS.preloadCpuMs} ms of CPU`;

export interface CacheFigures {
  readonly repeated: RepeatedCompiles;
  readonly managers: readonly ManagerCacheRow[];
  readonly preload: PreloadCost;
}

export function cachesSuffice({ managers, preload }: CacheFigures): boolean {
  const own = managers.filter(({ cache }) => cache === 'Pantheon');
  return (
    own.every(
      ({ fewerCallsPercent, fasterPercent, hitPercent }) =>
        fewerCallsPercent >= CACHE_TARGETS.fewerCallsPercent &&
        fasterPercent >= CACHE_TARGETS.fasterPercent &&
        hitPercent > CACHE_TARGETS.hitPercent,
    ) && preload.cpuMs < CACHE_TARGETS.preloadCpuMs
  );
}

export function printCaches({ repeated, managers, preload }: CacheFigures): void {
  printTable([
    {
      compile: 'again, from L1',
      'p50 ms': repeated.p50,
      'p95 ms': repeated.p95,
      'CPU ms': repeated.cpuMs,
    },
  ]);
  printTable(
    managers.map((row) => ({
      load: row.load,
      'cache of managers': row.cache,
      fetches: row.calls,
      'fewer %': row.fewerCallsPercent,
      'hits %': row.hitPercent,
      'compile ms': row.meanMs,
      'faster %': row.fasterPercent,
      'CPU ms': row.cpuMs,
    })),
  );
  printTable([
    {
      preload: `${preload.rows.toFixed(0)} memories of a user`,
      'mean ms': preload.meanMs,
      'CPU ms': preload.cpuMs,
      'server CPU ms': preload.serverCpuMs ?? 'unknown',
    },
  ]);
}
