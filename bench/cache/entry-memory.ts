import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Contestant, makers } from '../support/cache-contestants.js';
import { MEMORY_ITEMS, type MemoryRow } from '../support/cache-report.js';
import { load } from './workloads.js';

/** Bytes of an entry in each cache; `program` measures one when it is told `--memory <name>`. */
export function memoryRows(program: string, names: readonly string[]): MemoryRow[] {
  const bytes = names.map((name) => {
    const output = execFileSync(
      process.execPath,
      [...process.execArgv, '--expose-gc', program, '--memory', name],
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

/** Prints the bytes of heap that an entry costs beside its key and value; in a process of its own. */
export async function measureMemory(name: string): Promise<void> {
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
