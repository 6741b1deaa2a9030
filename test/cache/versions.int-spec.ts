import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { MemoryVersionStore, PostgresVersionStore, RedisVersionStore } from '#libs/cache';
import { versionStoreContract } from '../../libs/cache/src/testing/version-store.contract.js';
import { startRedisServer } from '../support/redis-server.js';
import { createCacheDatabase } from './support/cache-database.js';

versionStoreContract('MemoryVersionStore', () => {
  const store = new MemoryVersionStore();
  const nothing = (): Promise<void> => Promise.resolve();
  // It lives and dies with the process, so there is nothing that it could lose alone.
  return Promise.resolve({
    store,
    other: store,
    lose: async () => void (await store.bump(['lost'])),
    close: nothing,
  });
});

versionStoreContract('RedisVersionStore', async () => {
  const server = await startRedisServer();
  const connections = [new Redis(server.url), new Redis(server.url)] as const;
  const [store, other] = connections.map((redis) => new RedisVersionStore({ redis }));
  return {
    store: store as RedisVersionStore,
    other: other as RedisVersionStore,
    lose: async () => void (await connections[0].flushall()),
    async close() {
      await Promise.all(connections.map((redis) => redis.quit()));
      await server.stop();
    },
  };
});

versionStoreContract('PostgresVersionStore', async () => {
  const database = await createCacheDatabase();
  const sql = new Pool({ connectionString: database.url, max: 4 });
  return {
    store: new PostgresVersionStore({ sql }),
    other: new PostgresVersionStore({ sql }),
    // As after a crash: an unlogged table is empty, a sequence is not.
    lose: async () => void (await sql.query('TRUNCATE cache_version')),
    async close() {
      await sql.end();
      await database.drop();
    },
  };
});
