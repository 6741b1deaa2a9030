import { createDataSource, persistenceSettings } from '#libs/persistence';
import { cacheMigrations } from '#libs/cache';
import { loadSettings } from '../../../apps/shared/src/load-settings.js';
import { cloneTemplate } from '../../support/database.js';

/** A database of the test's own with the cache's tables. */
export async function createCacheDatabase(): Promise<{ url: string; drop: () => Promise<void> }> {
  const database = await cloneTemplate();
  const { store } = await loadSettings({});
  const settings = { ...store.get(persistenceSettings), poolSize: 2 };
  const parts = { entities: [], migrations: [] };
  const dataSource = createDataSource(database.url, settings, parts, 'cache-test');
  await dataSource.initialize();
  const runner = dataSource.createQueryRunner();
  try {
    const { rows } = { rows: await runner.query("SELECT to_regclass('cache_entry') AS there") };
    // The template has the tables as soon as the platform is composed with the cache.
    if (rows[0].there === null) {
      for (const Migration of cacheMigrations) await new Migration().up(runner);
    }
  } finally {
    await runner.release();
    await dataSource.destroy();
  }
  return database;
}
