import type { DataSource } from 'typeorm';
import type { JobsSettings } from '../jobs.settings.js';
import type { JobBackend } from './job-backend.js';
import { PostgresJobBackend } from './postgres.backend.js';
import { RedisJobBackend } from './redis.backend.js';

/** The backend that the settings ask for: Redis when there is one, else PostgreSQL. */
export function createJobBackend(
  settings: JobsSettings,
  dataSource: DataSource,
  onError: (error: Error) => void,
): JobBackend {
  if (settings.redisUrl !== undefined) {
    return new RedisJobBackend({
      url: settings.redisUrl,
      keyPrefix: settings.keyPrefix,
      timeoutMs: settings.operationTimeoutMs,
      onError,
    });
  }
  return new PostgresJobBackend({
    url: settings.databaseUrl ?? urlOf(dataSource),
    poolSize: settings.poolSize,
    connectTimeoutMs: settings.operationTimeoutMs,
    applicationName: 'pantheon-jobs',
    onError,
  });
}

/** The database of the application, which at run time alone is known when it is embedded. */
function urlOf({ options }: DataSource): string {
  if ('url' in options && typeof options.url === 'string') return options.url;
  throw new TypeError('The data source has no URL; set PANTHEON_JOBS_DATABASE_URL.');
}
