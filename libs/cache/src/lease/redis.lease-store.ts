import type { Redis } from 'ioredis';
import { boundedKey } from '../tier/key-name.js';
import { LeaseStore } from './lease-store.js';

/** KEYS: lease. ARGV: owner. */
const RELEASE = `
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0`;

interface Scripts {
  cacheLeaseRelease(key: string, owner: string): Promise<number>;
}

export interface RedisLeaseStoreOptions {
  /** Stays the caller's to close. */
  readonly redis: Redis;
  /** Default `cache-lease:`. */
  readonly prefix?: string;
}

/** Leases in one Redis. They save loads and guard nothing else: entries are safe without them. */
export class RedisLeaseStore extends LeaseStore {
  readonly name = 'redis-leases';
  private readonly redis: Redis & Scripts;
  private readonly prefix: string;

  constructor({ redis, prefix = 'cache-lease:' }: RedisLeaseStoreOptions) {
    super();
    redis.defineCommand('cacheLeaseRelease', { numberOfKeys: 1, lua: RELEASE });
    this.redis = redis as Redis & Scripts;
    this.prefix = prefix;
  }

  async acquire(key: string, owner: string, leaseMs: number): Promise<boolean> {
    return (await this.redis.set(this.nameOf(key), owner, 'PX', leaseMs, 'NX')) === 'OK';
  }

  async release(key: string, owner: string): Promise<void> {
    await this.redis.cacheLeaseRelease(this.nameOf(key), owner);
  }

  private nameOf(key: string): string {
    return this.prefix + boundedKey(key);
  }
}
