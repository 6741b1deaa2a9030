import type { SettingsStore } from '#libs/config';
import { persistenceSettings, redisSettings } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import { rateLimitSettings } from '../rate-limit.settings.js';
import type { RateLimitStore } from './rate-limit-store.js';

/**
 * The store that the settings name; undefined where the memory of the process will do. Nothing is
 * connected yet, and what is not used is not loaded.
 */
export async function openStore(
  settings: SettingsStore,
  dataSource: DataSource,
): Promise<RateLimitStore | undefined> {
  const { store } = settings.get(rateLimitSettings);
  const { url, keyPrefix: prefix } = settings.get(redisSettings);
  // That it is away is told by the gate; each try to connect again is no news.
  const onError = (): void => undefined;
  if (store === 'redis' || (store === 'auto' && url !== undefined)) {
    if (url === undefined)
      throw new TypeError('rateLimit.store is redis, but no REDIS_URL is set.');
    const { RedisRateLimitStore } = await import('./redis.rate-limit-store.js');
    return new RedisRateLimitStore({ url, prefix, onError });
  }
  const { url: databaseUrl, preparedStatements: prepare } = settings.get(persistenceSettings);
  if (store === 'postgres' || (store === 'auto' && databaseUrl !== undefined)) {
    const { PostgresRateLimitStore } = await import('./postgres.rate-limit-store.js');
    return new PostgresRateLimitStore({ url: urlOf(dataSource), prepare, onError });
  }
  return undefined;
}

/** The database of the application, which at run time alone is known when it is embedded. */
function urlOf({ options }: DataSource): string {
  if ('url' in options && typeof options.url === 'string') return options.url;
  throw new TypeError('The data source has no URL, which the rate limits need to connect.');
}
