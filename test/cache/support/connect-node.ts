import { Redis } from 'ioredis';
import { Pool } from 'pg';
import { SystemClock } from '#libs/core';
import {
  CacheHub,
  EntryCodec,
  PostgresBackplane,
  PostgresLeaseStore,
  PostgresTier,
  PostgresVersionStore,
  RedisBackplane,
  RedisLeaseStore,
  RedisTier,
} from '#libs/cache';

/** How one node of a cluster is set up. */
export interface NodeSettings {
  readonly index: number;
  /** `redis`: Redis, then PostgreSQL. `postgres`: PostgreSQL alone, as without a Redis. */
  readonly kind: 'redis' | 'postgres';
  readonly redisUrl: string;
  readonly databaseUrl: string;
  readonly prefix: string;
  readonly leaseMs?: number;
}

export interface Node {
  readonly hub: CacheHub;
  /** For what the test itself counts. */
  readonly redis: Redis;
  readonly prefix: string;
  close(): Promise<void>;
}

/** A hub as the platform would make it, with an L1 so small that entries leave it too. */
export async function connectNode(settings: NodeSettings): Promise<Node> {
  const { kind, prefix, databaseUrl, redisUrl } = settings;
  const clock = new SystemClock();
  const codec = new EntryCodec();
  const sql = new Pool({ connectionString: databaseUrl, max: 6 });
  const redis = new Redis(redisUrl);
  const third = { tier: new PostgresTier({ sql, codec, clock, prefix }), timeoutMs: 5_000 };
  const second = { tier: new RedisTier({ redis, codec, clock, prefix }), timeoutMs: 5_000 };
  const hub = new CacheHub({
    clock,
    tiers: kind === 'redis' ? [second, third] : [third],
    versions: new PostgresVersionStore({ sql, prefix }),
    versionsTimeoutMs: 5_000,
    backplane:
      kind === 'redis'
        ? new RedisBackplane({ redis, channel: `${prefix}bus` })
        : new PostgresBackplane({
            sql,
            connection: { connectionString: databaseUrl },
            channel: `${prefix}bus`,
          }),
    ackTimeoutMs: 5_000,
    publishTimeoutMs: 5_000,
    leases:
      kind === 'redis'
        ? new RedisLeaseStore({ redis, prefix })
        : new PostgresLeaseStore({ sql, prefix }),
    ...(settings.leaseMs === undefined ? {} : { leaseMs: settings.leaseMs }),
  });
  await hub.start();
  return {
    hub,
    redis,
    prefix,
    async close() {
      await hub.close();
      await Promise.all([redis.quit(), sql.end()]);
    },
  };
}
