import type { RedisSettings } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import type { JobsSettings } from '../jobs.settings.js';
import type { JobBackend } from './job-backend.js';
import { PostgresJobBackend } from './postgres.backend.js';
import { RedisJobBackend } from './redis.backend.js';

export interface JobBackendParts {
  readonly settings: JobsSettings;
  readonly redis: RedisSettings;
  /** The database of the application; jobs are kept there when nothing else is said. */
  readonly dataSource: DataSource;
  readonly migrate: boolean;
  readonly onError: (error: Error) => void;
}

/** The backend that the settings ask for: Redis when there is one, else PostgreSQL. */
export function createJobBackend(parts: JobBackendParts): JobBackend {
  const { settings, redis, onError } = parts;
  if (redis.url === undefined) return createPostgresBackend(parts);
  return new RedisJobBackend({
    url: redis.url,
    keyPrefix: redis.keyPrefix,
    timeoutMs: settings.operationTimeoutMs,
    onError,
  });
}

/**
 * Sets up or upgrades the tables of the jobs, for deployments whose processes may not. Does
 * nothing when the jobs are kept in Redis.
 * @returns what was done, in words; nothing when all was up to date
 */
export async function migrateJobStore(
  settings: JobsSettings,
  redis: RedisSettings,
  dataSource: DataSource,
): Promise<string[]> {
  if (redis.url !== undefined) return [];
  const onError = (): void => undefined;
  const backend = createPostgresBackend({ settings, dataSource, migrate: true, onError });
  try {
    const version = await backend.openAt();
    return version === undefined ? [] : [`BullMQ schema ${version}`];
  } finally {
    await backend.close();
  }
}

function createPostgresBackend(parts: Omit<JobBackendParts, 'redis'>): PostgresJobBackend {
  const { settings, dataSource, migrate, onError } = parts;
  return new PostgresJobBackend({
    url: settings.databaseUrl ?? urlOf(dataSource),
    poolSize: settings.poolSize,
    connectTimeoutMs: settings.operationTimeoutMs,
    migrate,
    applicationName: 'pantheon-jobs',
    onError,
  });
}

/** The database of the application, which at run time alone is known when it is embedded. */
function urlOf({ options }: DataSource): string {
  if ('url' in options && typeof options.url === 'string') return options.url;
  throw new TypeError('The data source has no URL; set PANTHEON_JOBS_DATABASE_URL.');
}
