import { SystemClock } from '#libs/core';
import { createContext, runWithContext } from '#libs/logging';
import { NPlusOneDetector, poolOf, QueryRecorder } from '#libs/persistence';
import type { BenchDatabase } from '../support/bench-database.js';
import { ownCpuMs } from '../support/cpu-meter.js';
import { startProgressBar } from '../support/progress-bar.js';
import { inTurns, verdict } from './variants.js';

const TARGET = 1.03;
const REQUESTS = 400;
const QUERIES_A_REQUEST = 5;
const ROUNDS_FOR_ONE = 5;
/** As the setting `database.nPlusOneShare` has it. */
const SHARE = 0.1;

/** CPU time of this process for queries that are recorded and searched for loops, and for bare ones. */
export async function measureWatching(
  { dataSource }: BenchDatabase,
  rounds: number,
): Promise<Record<string, string | number>[]> {
  const pool = poolOf(dataSource);
  if (pool === undefined) throw new Error('The database is not connected.');
  const recorder = new QueryRecorder({
    clock: new SystemClock(),
    thresholdMs: () => 1_000,
    explain: () => Promise.resolve(undefined),
  });
  const requests = async (): Promise<number> => {
    const startedMs = ownCpuMs();
    for (let request = 0; request < REQUESTS; request += 1) {
      await runWithContext(createContext({ route: '/v1/bench' }), async () => {
        for (let query = 0; query < QUERIES_A_REQUEST; query += 1) {
          await dataSource.query(
            `SELECT n, 'row ' || n AS text, ${query} AS kind FROM generate_series(1, $1::int) n`,
            [10],
          );
        }
      });
    }
    return ((ownCpuMs() - startedMs) * 1000) / (REQUESTS * QUERIES_A_REQUEST);
  };
  const watched = (share: number) => async (): Promise<number> => {
    const leave = [pool.observe(recorder), pool.observe(new NPlusOneDetector(() => share))];
    try {
      return await requests();
    } finally {
      for (const close of leave) close();
    }
  };
  await requests();
  const bar = await startProgressBar('watching', rounds * ROUNDS_FOR_ONE * 3);
  let turns = 0;
  const us = await inTurns(
    { bare: requests, sampled: watched(SHARE), every: watched(1) },
    rounds * ROUNDS_FOR_ONE,
    () => bar.update((turns += 1)),
  );
  bar.stop();
  const ratio = us.sampled / us.bare;
  return [
    { queries: 'bare', cpuUs: us.bare, ratio: 1, target: '', verdict: '' },
    {
      queries: `recorded, loops looked for in ${SHARE * 100} % of requests`,
      cpuUs: us.sampled,
      ratio,
      target: `≤ ${TARGET}`,
      verdict: verdict(ratio <= TARGET),
    },
    {
      queries: 'recorded, loops looked for in every request',
      cpuUs: us.every,
      ratio: us.every / us.bare,
      target: '',
      verdict: '',
    },
  ];
}
