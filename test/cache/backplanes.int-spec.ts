import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { SystemClock } from '#libs/core';
import {
  EntryCodec,
  PostgresBackplane,
  PostgresLeaseStore,
  PostgresTier,
  PostgresVersionStore,
  RedisBackplane,
  RedisLeaseStore,
  RedisTier,
  RedisVersionStore,
} from '#libs/cache';
import { backplaneContract } from '../../libs/cache/src/testing/backplane.contract.js';
import { leaseStoreContract } from '../../libs/cache/src/testing/lease-store.contract.js';
import { testRedisUrl } from '../support/database.js';
import { startRedisServer } from '../support/redis-server.js';
import { createCacheDatabase } from './support/cache-database.js';

const clock = new SystemClock();
const codec = new EntryCodec();

backplaneContract('RedisBackplane', async () => {
  const server = await startRedisServer();
  const redis = new Redis(server.url);
  return {
    make: () => new RedisBackplane({ redis }),
    shared: () => ({
      tiers: [{ tier: new RedisTier({ redis, codec, clock }) }],
      versions: new RedisVersionStore({ redis }),
    }),
    disconnect: async () => void (await redis.client('KILL', 'TYPE', 'pubsub')),
    async close() {
      await redis.quit();
      await server.stop();
    },
  };
});

backplaneContract('PostgresBackplane', async () => {
  const database = await createCacheDatabase();
  const sql = new Pool({ connectionString: database.url, max: 4 });
  const connection = { connectionString: database.url };
  return {
    make: () => new PostgresBackplane({ sql, connection, goneAfterMs: 1_000 }),
    shared: () => ({
      tiers: [{ tier: new PostgresTier({ sql, codec, clock }) }],
      versions: new PostgresVersionStore({ sql }),
    }),
    disconnect: async () =>
      void (await sql.query(
        `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
         WHERE datname = current_database() AND query LIKE 'LISTEN%'`,
      )),
    async close() {
      await sql.end();
      await database.drop();
    },
  };
});

leaseStoreContract('RedisLeaseStore', () => {
  const redis = new Redis(testRedisUrl());
  const prefix = `leases-${process.pid}:`;
  return Promise.resolve({
    store: new RedisLeaseStore({ redis, prefix }),
    other: new RedisLeaseStore({ redis, prefix }),
    close: async () => void (await redis.quit()),
  });
});

leaseStoreContract('PostgresLeaseStore', async () => {
  const database = await createCacheDatabase();
  const sql = new Pool({ connectionString: database.url, max: 10 });
  return {
    store: new PostgresLeaseStore({ sql }),
    other: new PostgresLeaseStore({ sql }),
    async close() {
      await sql.end();
      await database.drop();
    },
  };
});
