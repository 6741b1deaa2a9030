import { resolve } from 'node:path';
import { type SettingsStore } from '#libs/config';
import { type Clock } from '#libs/core';
import { poolOf, type RedisSettings } from '#libs/persistence';
import type { Redis } from 'ioredis';
import type { DataSource } from 'typeorm';
import { PostgresBackplane } from './backplane/postgres.backplane.js';
import { type CacheSettings, cacheSettings } from './cache.settings.js';
import { CacheHub } from './engine/cache-hub.js';
import type { CacheHubOptions, HubTierOptions } from './engine/hub.options.js';
import type { EncryptionKey } from './entry/entry-cipher.js';
import { EntryCodec, type EntryCodecOptions } from './entry/entry-codec.js';
import { CacheUnavailableError } from './errors/cache-unavailable.error.js';
import { PostgresLeaseStore } from './lease/postgres.lease-store.js';
import { budgetsOf } from './managers/cache-kind.js';
import { Caches } from './managers/caches.js';
import { SharedLevels } from './managers/shared-levels.js';
import { cacheFault } from './statistics/cache.channels.js';
import { DiskStore } from './tier/disk.store.js';
import { DiskTier } from './tier/disk.tier.js';
import { PostgresTier } from './tier/postgres.tier.js';
import type { SqlClient } from './tier/sql-client.js';
import { PostgresVersionStore } from './versions/postgres.version-store.js';

export interface CacheRuntimeParts {
  readonly store: SettingsStore;
  readonly redis: RedisSettings;
  readonly clock: Clock;
  readonly dataSource: DataSource;
}

/**
 * The cache of a process as the settings say: memory, Redis when there is one, PostgreSQL. Versions
 * are kept in PostgreSQL, which the last level does not outlive. Owns its connections to Redis.
 */
export class CacheRuntime {
  readonly caches: Caches;
  private readonly unsubscribe: () => void;

  private constructor(
    readonly hub: CacheHub,
    readonly codec: EntryCodec,
    /** New guards around the shared levels, for namespaces with levels of their own. */
    readonly levels: SharedLevels,
    private readonly redis: Redis | undefined,
    store: SettingsStore,
  ) {
    const settings = store.get(cacheSettings);
    this.caches = new Caches(hub, budgetsOf(settings), {
      freeze: settings.freeze ?? process.env['NODE_ENV'] !== 'production',
    });
    this.unsubscribe = store.onChange((changes) => {
      if (changes.some(({ path }) => path.startsWith(`${cacheSettings.key}.`))) {
        this.caches.setBudgets(budgetsOf(store.get(cacheSettings)));
        this.limitLevels(store.get(cacheSettings));
      }
    });
    this.limitLevels(settings);
  }

  /** Puts the parts together without connecting; `start` connects. */
  static async create({ store, redis: at, clock, dataSource }: CacheRuntimeParts) {
    const settings = store.get(cacheSettings);
    const prefix = `${at.keyPrefix}:cache:`;
    const codecOptions: EntryCodecOptions = {
      compressFromBytes: settings.compressFromBytes,
      ...(settings.encryptionKeys === undefined
        ? {}
        : { encryptionKeys: parseKeys(settings.encryptionKeys) }),
    };
    const codec = new EntryCodec(codecOptions);
    const sql = sqlOf(dataSource);
    // Loaded only where there is a Redis.
    const shared = at.url === undefined ? undefined : await import('./redis-parts.js');
    const redis = shared?.connectRedis(at.url as string);
    const guard = {
      breakerFailures: settings.breakerFailures,
      breakerOpenMs: settings.breakerOpenMs,
    };
    const levelsWith = (own: EntryCodec): HubTierOptions[] => {
      const parts = { codec: own, clock, prefix };
      const tiers: HubTierOptions[] = [];
      if (settings.l2 && shared !== undefined && redis !== undefined) {
        tiers.push({
          ...guard,
          level: 'L2',
          tier: new shared.RedisTier({ ...parts, redis }),
          timeoutMs: settings.l2TimeoutMs,
        });
      }
      if (settings.l3) {
        tiers.push({
          ...guard,
          level: 'L3',
          tier: new PostgresTier({ ...parts, sql, prefix: '' }),
          timeoutMs: settings.l3TimeoutMs,
        });
      }
      return tiers;
    };
    const disk = diskStoreOf(settings, clock);
    const diskWith = (own: EntryCodec): HubTierOptions[] =>
      disk === undefined
        ? []
        : [
            {
              ...guard,
              level: 'L4',
              tier: new DiskTier({ store: disk, codec: own, clock }),
              timeoutMs: settings.diskTimeoutMs,
            },
          ];
    const options: CacheHubOptions = {
      clock,
      tiers: levelsWith(codec),
      versions: new PostgresVersionStore({ sql }),
      versionsTimeoutMs: settings.l3TimeoutMs,
      maxTags: settings.maxTags,
      heartbeatMs: settings.heartbeatMs,
      ackTimeoutMs: settings.ackTimeoutMs,
      outOfSyncTtlMs: settings.outOfSyncTtlMs,
      leaseMs: settings.leaseMs,
      ...(shared !== undefined && redis !== undefined
        ? {
            backplane: new shared.RedisBackplane({ redis, channel: `${prefix}bus` }),
            leases: new shared.RedisLeaseStore({ redis, prefix }),
          }
        : {
            backplane: new PostgresBackplane({
              sql,
              connection: {
                connectionString: settings.notifyUrl ?? urlOf(dataSource),
                application_name: 'pantheon-cache',
              },
            }),
            leases: new PostgresLeaseStore({ sql }),
          }),
    };
    const levels = new SharedLevels(clock, codecOptions, levelsWith, diskWith);
    return new CacheRuntime(new CacheHub(options), codec, levels, redis, store);
  }

  /** Connects to the other processes. It never fails: without them it goes on trying. */
  async start(): Promise<void> {
    this.redis?.connect().catch((error: unknown) => {
      cacheFault.publish(() => ({ part: 'redis', operation: 'connection', error }));
    });
    await this.hub.start();
  }

  /** Finishes what is under way and disconnects. May be called twice. */
  async close(): Promise<void> {
    this.unsubscribe();
    await this.hub.close();
    this.redis?.disconnect();
  }

  private limitLevels(settings: CacheSettings): void {
    const { l1TtlMs, l2TtlMs, l2TimeoutMs, l2InUse, l3TtlMs, l3TimeoutMs, l3InUse } = settings;
    this.hub.limitLevel('L1', { ttlMs: l1TtlMs ?? null });
    this.hub.limitLevel('L2', {
      ttlMs: l2TtlMs ?? null,
      timeoutMs: l2TimeoutMs,
      isEnabled: l2InUse,
    });
    this.hub.limitLevel('L3', {
      ttlMs: l3TtlMs ?? null,
      timeoutMs: l3TimeoutMs,
      isEnabled: l3InUse,
    });
  }
}

function diskStoreOf(settings: CacheSettings, clock: Clock): DiskStore | undefined {
  const { disk, diskDirectory, diskMaxBytes } = settings;
  if (!disk) return undefined;
  return new DiskStore({ directory: resolve(diskDirectory), maxBytes: diskMaxBytes, clock });
}

/** The pool of the application, looked up at each call since a data source may connect anew. */
function sqlOf(dataSource: DataSource): SqlClient {
  return {
    // Asynchronous, so that it rejects: whoever tidies up at the end must get to its end.
    async query(query) {
      const pool = poolOf(dataSource);
      if (pool === undefined) throw new CacheUnavailableError('database', 'it is not connected');
      return pool.query(query);
    },
  };
}

/** The database of the application, which at run time alone is known when it is embedded. */
function urlOf({ options }: DataSource): string {
  if ('url' in options && typeof options.url === 'string') return options.url;
  throw new TypeError('The data source has no URL; set PANTHEON_CACHE_NOTIFY_URL.');
}

function parseKeys(text: string): EncryptionKey[] {
  return text.split(',').map((pair) => {
    const at = pair.indexOf(':');
    return { id: pair.slice(0, at), key: Buffer.from(pair.slice(at + 1), 'base64') };
  });
}
