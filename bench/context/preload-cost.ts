import { type Context, DEFAULT_PRELOAD_CONFIG } from '#libs/context';
import { newId } from '#libs/core';
import type { BenchContext } from '../support/bench-context.js';
import { ownCpuMs, serverCpuMs } from '../support/cpu-meter.js';
import { remarks } from './remarks.js';

const PRELOADED_USERS = 20;
const MEMORIES_A_USER = 300;
const PRELOADED_ROWS = 50;
const PRELOAD_ROUNDS = 5;

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
