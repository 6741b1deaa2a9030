import type { Contestant } from '../support/cache-contestants.js';
import type { Row } from '../support/cache-report.js';
import { startProgressBar } from '../support/progress-bar.js';
import type { Workload } from './workloads.js';

/**
 * ns of one operation. Rounds are taken in turn, so that noise hits all alike, and the lower quartile
 * of them counts: a shared machine only ever makes a round slower.
 */
export async function compare(
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
