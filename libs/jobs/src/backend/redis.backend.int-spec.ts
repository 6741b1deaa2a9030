import { randomBytes } from 'node:crypto';
import { Redis } from 'ioredis';
import { testRedisUrl } from '../../../../test/support/database.js';
import { describeJobStore } from '../testing/job-store.contract.js';
import { describeOutages } from '../testing/outage.contract.js';
import { RedisJobBackend } from './redis.backend.js';

describeOutages('RedisJobBackend', () => Promise.resolve(keySpace(500)));

describeJobStore('RedisJobBackend', () => {
  const { url, createBackend, close } = keySpace(3_000);
  return Promise.resolve({ createBackend: () => createBackend(url), close });
});

/** A part of the Redis of this test run that no other test touches. */
function keySpace(timeoutMs: number) {
  const url = testRedisUrl();
  const keyPrefix = `test-${randomBytes(6).toString('hex')}`;
  return {
    url,
    createBackend: (at: string) =>
      new RedisJobBackend({ url: at, keyPrefix, timeoutMs, onError: () => undefined }),
    close: async () => {
      const redis = new Redis(url);
      const keys = await redis.keys(`${keyPrefix}:*`);
      if (keys.length > 0) await redis.del(...keys);
      redis.disconnect();
    },
  };
}
