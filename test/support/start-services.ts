import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  createDataSource,
  EmbeddedPostgres,
  migrate,
  persistenceSettings,
} from '#libs/persistence';
import { databaseParts } from '../../apps/shared/src/database-parts.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { startTestRedis } from './redis-server.js';

/**
 * Starts real PostgreSQL and Redis once for a run, and a template database with every migration
 * applied, from which each test file clones its own. Workers find them through the environment.
 * Returns what stops them and removes their folders.
 */
export async function startServices(): Promise<() => Promise<void>> {
  const dataDir = await mkdtemp(join(tmpdir(), 'pantheon-test-pg-'));
  // When root runs the tests, the user that runs PostgreSQL has to pass through.
  await chmod(dataDir, 0o711);
  const [postgres, redis] = await Promise.all([
    EmbeddedPostgres.start({
      maxConnections: 300,
      dataDir: join(dataDir, 'data'),
      // Nothing that a test writes has to survive a crash of the machine.
      settings: { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' },
    }),
    startTestRedis(),
  ]);
  process.env['PANTHEON_TEST_POSTGRES_URL'] = postgres.url;
  process.env['PANTHEON_TEST_REDIS_URL'] = redis.url;

  const { store } = await loadSettings({});
  const dataSource = createDataSource(postgres.url, store.get(persistenceSettings), databaseParts);
  await dataSource.initialize();
  await migrate(dataSource);
  await dataSource.destroy();

  return async () => {
    await Promise.all([postgres.stop(), redis.stop()]);
    await rm(dataDir, { recursive: true, force: true });
  };
}
