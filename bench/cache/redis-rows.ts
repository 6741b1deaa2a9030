import { Redis } from 'ioredis';
import { startBenchRedis } from '../support/bench-redis.js';
import { redisContestants } from '../support/cache-contestants.js';
import { MANY, type Row } from '../support/cache-report.js';
import { compare } from './compare.js';
import { KEYS, load, REDIS_READS_A_ROUND, redisHit, redisMany } from './workloads.js';

/** A hit and 50 keys in Redis; undefined when there is none. */
export async function redisRows(rounds: number): Promise<{ hit: Row[]; many: Row[] } | undefined> {
  const server = await startBenchRedis();
  if (server === undefined) return undefined;
  const redis = new Redis(server.url, { lazyConnect: false });
  redis.on('error', () => undefined);
  try {
    const contestants = await redisContestants(redis, server.url);
    for (const contestant of contestants) {
      for (const key of KEYS.slice(0, REDIS_READS_A_ROUND + MANY))
        await contestant.set?.(key, load(key));
    }
    return {
      hit: await compare('hit in Redis', contestants, rounds, redisHit),
      many: await compare(
        '50 keys in Redis',
        contestants.filter((contestant) => contestant.getMany !== undefined),
        rounds,
        redisMany,
      ),
    };
  } finally {
    redis.disconnect();
    await server.stop();
  }
}
