import type { Type } from '@nestjs/common';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AdministratorBootstrap } from '#libs/auth';
import { SystemClock } from '#libs/core';
import { createRootLogger } from '#libs/logging';
import { persistenceSettings } from '#libs/persistence';
import { createApi } from '../../apps/api/src/create-api.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';
import { openDatabase } from '../../apps/shared/src/open-database.js';

/** The API as it runs, by the settings of the environment, on a free port. */
export async function servePlatform(
  modules: readonly Type[] = [],
): Promise<NestFastifyApplication> {
  const { store } = await loadSettings();
  const settings = store.get(persistenceSettings);
  const databaseUrl = settings.url ?? '';
  const dataSource = await openDatabase(databaseUrl, settings, 'pantheon-bench');
  const platform = {
    clock: new SystemClock(),
    store,
    log: createRootLogger(store, { service: 'api' }),
    watcher: null,
    dataSource,
    databaseUrl,
    embedded: false,
    close: () => dataSource.destroy(),
  };
  const app = await createApi(platform, modules);
  await app.get(AdministratorBootstrap).ensure();
  await app.listen(0, '127.0.0.1');
  return app;
}
