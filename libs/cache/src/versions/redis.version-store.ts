import type { Redis } from 'ioredis';
import { boundedKey } from '../tier/key-name.js';
import { VersionStore, type VersionRead } from './version-store.js';

const DEFAULT_LIFE_MS = 30 * 86_400_000;

/**
 * The clock starts at the microseconds of today: it counts slower than they pass, so a clock that
 * starts again after a loss of data is ahead of every version that was ever given out.
 */
const CLOCK = `
local clock = redis.call('GET', KEYS[1])
if not clock then
  local time = redis.call('TIME')
  clock = time[1] .. string.format('%06d', time[2])
  redis.call('SET', KEYS[1], clock)
end`;

/** KEYS: clock, names. ARGV: life of a name in ms. */
const READ = `${CLOCK}
local result = { clock }
for i = 2, #KEYS do
  local version = redis.call('GET', KEYS[i])
  if not version then
    version = clock
    redis.call('SET', KEYS[i], version, 'PX', ARGV[1])
  end
  result[i] = version
end
return result`;

const BUMP = `${CLOCK}
local result = {}
for i = 2, #KEYS do
  redis.call('INCR', KEYS[1])
  local version = redis.call('GET', KEYS[1])
  redis.call('SET', KEYS[i], version, 'PX', ARGV[1])
  result[i - 1] = version
end
return result`;

interface Scripts {
  cacheVersionRead(count: number, ...keysAndLife: (string | number)[]): Promise<string[]>;
  cacheVersionBump(count: number, ...keysAndLife: (string | number)[]): Promise<string[]>;
}

export interface RedisVersionStoreOptions {
  /** Stays the caller's to close. */
  readonly redis: Redis;
  /** In front of every name; what stands in its braces keeps the names in one hash slot. */
  readonly prefix?: string;
  /** A name is forgotten when it was not invalidated for so long. Default 30 days. */
  readonly lifeMs?: number;
}

/** Versions in Redis. Where entries are kept in PostgreSQL too, keep the versions there as well. */
export class RedisVersionStore extends VersionStore {
  readonly name = 'redis-versions';
  private readonly redis: Scripts;
  private readonly prefix: string;
  private readonly lifeMs: number;

  constructor(options: RedisVersionStoreOptions) {
    super();
    const { redis } = options;
    redis.defineCommand('cacheVersionRead', { lua: READ });
    redis.defineCommand('cacheVersionBump', { lua: BUMP });
    this.redis = redis as Redis & Scripts;
    this.prefix = options.prefix ?? '{cache-versions}:';
    this.lifeMs = options.lifeMs ?? DEFAULT_LIFE_MS;
  }

  async read(names: readonly string[]): Promise<VersionRead> {
    const keys = this.keys(names);
    const [now, ...versions] = await this.redis.cacheVersionRead(keys.length, ...keys, this.lifeMs);
    return { versions: versions.map(Number), now: Number(now) };
  }

  async bump(names: readonly string[]): Promise<number[]> {
    const keys = this.keys(names);
    return (await this.redis.cacheVersionBump(keys.length, ...keys, this.lifeMs)).map(Number);
  }

  private keys(names: readonly string[]): string[] {
    return [`${this.prefix}clock`, ...names.map((name) => `${this.prefix}v:${boundedKey(name)}`)];
  }
}
