import { Module, type Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { MemoryLogDestination, NestLoggerService, RootLogger } from '#libs/logging';
import { persistenceSettings } from '#libs/persistence';
import { loadSettings } from '../../../apps/shared/src/load-settings.js';
import { openDatabase } from '../../../apps/shared/src/open-database.js';
import { PlatformModule } from '../../../apps/shared/src/platform.module.js';
import { TravellingClock } from '../../support/app.js';
import { cloneTemplate } from '../../support/database.js';

/** An application of the platform with jobs, without HTTP, and with providers of a test. */
export interface CacheApp {
  readonly databaseUrl: string;
  readonly clock: TravellingClock;
  readonly log: MemoryLogDestination;
  get<Part>(token: abstract new (...args: never[]) => Part): Part;
  /** Ends the application; the database stays for the next one. */
  stop(): Promise<void>;
}

export interface CacheAppOptions {
  readonly databaseUrl: string;
  readonly providers: readonly Type[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** A database for applications that follow each other. */
export function createDatabase(): Promise<{ readonly url: string; drop(): Promise<void> }> {
  return cloneTemplate();
}

/** Starts it as `npm start` would: all modules, hooks, workers. */
export async function startCacheApp({
  databaseUrl,
  providers,
  environment = {},
}: CacheAppOptions): Promise<CacheApp> {
  const { store } = await loadSettings({
    DATABASE_URL: databaseUrl,
    PANTHEON_REDIS_KEY_PREFIX: new URL(databaseUrl).pathname.slice(1),
    PANTHEON_DATABASE_POOL_SIZE: '10',
    ...environment,
  });
  const log = new MemoryLogDestination();
  const clock = new TravellingClock();
  const dataSource = await openDatabase(
    databaseUrl,
    store.get(persistenceSettings),
    'pantheon-test',
  );
  const platform = {
    clock,
    store,
    log: new RootLogger({ service: 'test', destination: log }),
    watcher: null,
    dataSource,
    databaseUrl,
    embedded: false,
    async close() {
      if (dataSource.isInitialized) await dataSource.destroy();
    },
  };

  @Module({
    imports: [PlatformModule.forRoot(platform, { workers: true, startDelayMs: 0 })],
    providers: [...providers],
  })
  class TestModule {}

  const app = await NestFactory.createApplicationContext(TestModule, {
    logger: new NestLoggerService(platform.log),
  });
  return {
    databaseUrl,
    clock,
    log,
    get: (token) => app.get(token as Type),
    async stop() {
      await app.close();
      await platform.close();
    },
  };
}
