/** What one round of a comparison does to a cache; each gives the ns of one operation. */
import type { Contestant } from '../support/cache-contestants.js';
import { MANY } from '../support/cache-report.js';

/** Entries that a cache in memory holds. */
export const ITEMS = 10_000;
export const KEYS = Array.from({ length: ITEMS }, (_, index) => `customer:${index}:profile`);
const HITS_A_ROUND = 10_000;
const MISSES_A_ROUND = 1_000;
const MANY_A_ROUND = 200;
export const REDIS_READS_A_ROUND = 200;

export type Workload = (contestant: Contestant, round: number) => Promise<number>;

/** The value of a key. */
export const load = (key: string): object => ({
  id: key,
  name: 'Ada',
  tags: ['a', 'b'],
  visits: 7,
});

export const hit: Workload = (contestant, round) =>
  timed(HITS_A_ROUND, async () => {
    for (let index = 0; index < HITS_A_ROUND; index += 1) {
      await contestant.getOrSet(KEYS[(index * 7_919 + round + ITEMS) % ITEMS] as string, load);
    }
  });

export const miss: Workload = (contestant, round) =>
  timed(MISSES_A_ROUND, async () => {
    for (let index = 0; index < MISSES_A_ROUND; index += 1) {
      await contestant.getOrSet(`miss:${round}:${index}`, load);
    }
  });

export const many: Workload = (contestant, round) =>
  timed(MANY_A_ROUND, async () => {
    for (let index = 0; index < MANY_A_ROUND; index += 1) {
      const from = (index * MANY + round + ITEMS) % (ITEMS - MANY);
      await contestant.getMany?.(KEYS.slice(from, from + MANY));
    }
  });

export const redisHit: Workload = (contestant) =>
  clocked(REDIS_READS_A_ROUND, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND; index += 1) {
      await contestant.getOrSet(KEYS[index] as string, load);
    }
  });

export const redisMany: Workload = (contestant) =>
  clocked(REDIS_READS_A_ROUND / 10, async () => {
    for (let index = 0; index < REDIS_READS_A_ROUND / 10; index += 1) {
      await contestant.getMany?.(KEYS.slice(index, index + MANY));
    }
  });

/** Of one operation, in ns: of the processor, so that a busy machine does not count. */
async function timed(count: number, run: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before);
  return ((user + system) * 1_000) / count;
}

/** The same by the clock, for what waits for Redis. */
async function clocked(count: number, run: () => Promise<void>): Promise<number> {
  const startedNs = process.hrtime.bigint();
  await run();
  return Number(process.hrtime.bigint() - startedNs) / count;
}
