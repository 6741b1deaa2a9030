import KeyvRedis from '@keyv/redis';
import { Redis } from 'ioredis';
import { Keyv } from 'keyv';
import { Pool } from 'pg';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/core';
import { EntryCodec, KeyvTier, PostgresTier, RedisTier } from '#libs/cache';
import { cacheTierContract } from '../../libs/cache/src/testing/cache-tier.contract.js';
import { testRedisUrl } from '../support/database.js';
import { createCacheDatabase } from './support/cache-database.js';

const clock = new SystemClock();
const codec = new EntryCodec({
  serializer: 'msgpackr',
  encryptionKeys: [{ id: 'k1', key: new Uint8Array(32).fill(7) }],
});
const time = { nowMs: () => clock.nowMs(), pass: (ms: number) => sleep(ms) };

cacheTierContract('RedisTier', () => {
  const prefix = `tiers-${process.pid}:`;
  const connections = [new Redis(testRedisUrl()), new Redis(testRedisUrl())];
  const [tier, other] = connections.map((redis) => new RedisTier({ redis, codec, clock, prefix }));
  return Promise.resolve({
    ...time,
    tier: tier as RedisTier,
    other: other as RedisTier,
    async close() {
      await Promise.all(connections.map((redis) => redis.quit()));
    },
  });
});

cacheTierContract('KeyvTier on @keyv/redis', () => {
  const keyvs = [1, 2].map(
    () => new Keyv({ store: new KeyvRedis(testRedisUrl()), namespace: `tiers-${process.pid}` }),
  );
  const [tier, other] = keyvs.map((keyv) => new KeyvTier({ keyv, codec, clock }));
  return Promise.resolve({
    ...time,
    tier: tier as KeyvTier,
    other: other as KeyvTier,
    async close() {
      await Promise.all(keyvs.map((keyv) => keyv.disconnect()));
    },
  });
});

cacheTierContract('KeyvTier on a Map', () => {
  const store = new Map();
  const [tier, other] = [1, 2].map(() => new KeyvTier({ keyv: new Keyv({ store }), codec, clock }));
  return Promise.resolve({
    ...time,
    tier: tier as KeyvTier,
    other: other as KeyvTier,
    close: () => Promise.resolve(),
  });
});

cacheTierContract('PostgresTier', async () => {
  const database = await createCacheDatabase();
  const pools = [1, 2].map(() => new Pool({ connectionString: database.url, max: 4 }));
  const [tier, other] = pools.map((sql) => new PostgresTier({ sql, codec, clock }));
  return {
    ...time,
    tier: tier as PostgresTier,
    other: other as PostgresTier,
    async close() {
      await Promise.all(pools.map((pool) => pool.end()));
      await database.drop();
    },
  };
});
