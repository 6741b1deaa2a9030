import { Redis } from 'ioredis';
import { cacheFault } from './statistics/cache.channels.js';

export { RedisBackplane } from './backplane/redis.backplane.js';
export { RedisLeaseStore } from './lease/redis.lease-store.js';
export { RedisTier } from './tier/redis.tier.js';

const LONGEST_PAUSE_MS = 1_000;

/** A client that fails at once while Redis is away, and connects again for ever. */
export function connectRedis(url: string): Redis {
  const redis = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    enableAutoPipelining: true,
    connectTimeout: 2_000,
    // The client waits for so long at its end, also when there is no connection to be closed.
    disconnectTimeout: 200,
    retryStrategy: (attempt) => Math.min(50 * attempt, LONGEST_PAUSE_MS),
  });
  // Without a listener its error would end the process.
  redis.on('error', (error: unknown) => {
    cacheFault.publish(() => ({ part: 'redis', operation: 'connection', error }));
  });
  return redis;
}
