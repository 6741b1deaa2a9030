import { setTimeout as sleep } from 'node:timers/promises';
import { PostgresRateLimitStore } from '../../libs/resilience/src/rate-limit/store/postgres.rate-limit-store.js';
import { RedisRateLimitStore } from '../../libs/resilience/src/rate-limit/store/redis.rate-limit-store.js';
import { rateLimitStoreContract } from '../../libs/resilience/src/rate-limit/testing/rate-limit-store.contract.js';
import { cloneTemplate, testRedisUrl } from '../support/database.js';

const fail = (error: unknown): never => {
  throw error;
};

rateLimitStoreContract('RedisRateLimitStore', async () => {
  const options = { url: testRedisUrl(), prefix: `limits-${process.pid}`, onError: fail };
  const [store, other] = [new RedisRateLimitStore(options), new RedisRateLimitStore(options)];
  return {
    store,
    other,
    pass: (ms) => sleep(ms),
    async close() {
      await store.close();
      await other.close();
    },
  };
});

rateLimitStoreContract('PostgresRateLimitStore', async () => {
  const { url, drop } = await cloneTemplate();
  const options = { url, onError: fail };
  const [store, other] = [new PostgresRateLimitStore(options), new PostgresRateLimitStore(options)];
  return {
    store,
    other,
    pass: (ms) => sleep(ms),
    async close() {
      await store.close();
      await other.close();
      await drop();
    },
  };
});
