import { streamRows } from '#libs/persistence';
import type { BenchDatabase } from '../support/bench-database.js';
import { startProgressBar } from '../support/progress-bar.js';
import { verdict } from './variants.js';

const TARGET_MB = 50;
const MB = 1e6;
const SAMPLE_EVERY = 10_000;

/** How far the heap grows while very many rows are read one after the other. */
export async function measureStream(
  { dataSource }: BenchDatabase,
  rows: number,
): Promise<Record<string, string | number>[]> {
  const bar = await startProgressBar('stream', rows / SAMPLE_EVERY);
  let turns = 0;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  let most = before;
  let read = 0;
  const startedMs = performance.now();
  const stream = await streamRows<{ n: number; text: string }>(
    dataSource,
    `SELECT n, 'row number ' || n || repeat(' of many', 10) AS text FROM generate_series(1, $1::int) n`,
    [rows],
  );
  for await (const { n } of stream) {
    read += 1;
    if (n % SAMPLE_EVERY !== 0) continue;
    most = Math.max(most, process.memoryUsage().heapUsed);
    bar.update((turns += 1));
  }
  bar.stop();
  if (read !== rows) throw new Error(`${read} of ${rows} rows were read.`);
  const grownMb = (most - before) / MB;
  return [
    {
      stream: `${rows} rows`,
      seconds: (performance.now() - startedMs) / 1000,
      heapGrowthMB: grownMb,
      target: `≤ ${TARGET_MB}`,
      verdict: verdict(grownMb <= TARGET_MB),
    },
  ];
}
