import { type Clock, SystemClock } from '#libs/core';
import { SettingsFileWatcher, type SettingsStore } from '#libs/config';
import {
  EmbeddedPostgres,
  embeddedPostgresSettings,
  persistenceSettings,
  type PostgresHandle,
  toEmbeddedPostgresOptions,
} from '#libs/persistence';
import { createRootLogger, installProcessGuards, type RootLogger } from '#libs/logging';
import type { DataSource } from 'typeorm';
import { loadSettings } from './load-settings.js';
import { openDatabase } from './open-database.js';

/** What every process of the platform stands on. */
export interface Platform {
  readonly clock: Clock;
  readonly store: SettingsStore;
  readonly log: RootLogger;
  /** Null where settings do not change with a file. */
  readonly watcher: SettingsFileWatcher | null;
  readonly dataSource: DataSource;
  readonly databaseUrl: string;
  /** Whether this process runs the embedded PostgreSQL. */
  readonly embedded: boolean;
  /** Disconnects, stops the embedded PostgreSQL and writes the log. May be called twice. */
  close(): Promise<void>;
}

export interface OpenPlatformOptions {
  /** Which program this is: `api`, `worker`. In the log and in `pg_stat_activity`. */
  readonly service: string;
  /** `own`: the embedded PostgreSQL must be ours; `share`: one that is running will do. */
  readonly embedded: 'own' | 'share';
  /** Called with a sentence when something happens that a person should know. */
  readonly onNotice: (sentence: string) => void;
}

/**
 * Loads the settings and connects to the database, starting the embedded one when no
 * `DATABASE_URL` is set. What was opened is closed again when a later step fails.
 */
export async function openPlatform(options: OpenPlatformOptions): Promise<Platform> {
  const { store, filePath } = await loadSettings();
  const log = createRootLogger(store, { service: options.service });
  installProcessGuards(log);
  for (const name of store.unknownVariables()) {
    log.module('config').warn('No setting reads this environment variable', { name });
  }
  const settings = store.get(persistenceSettings);
  const embedded = settings.url === undefined ? await startEmbedded(store, options) : undefined;
  const databaseUrl = settings.url ?? embedded?.url ?? '';
  try {
    const name = `pantheon-${options.service}`;
    const dataSource = await openDatabase(databaseUrl, settings, name);
    const watcher = new SettingsFileWatcher(filePath, store, (err) => {
      log.module('config').error('The configuration file was not taken over', { err });
    });
    return {
      clock: new SystemClock(),
      store,
      log,
      watcher,
      dataSource,
      databaseUrl,
      embedded: embedded !== undefined,
      async close() {
        await watcher.close();
        if (dataSource.isInitialized) await dataSource.destroy();
        await embedded?.stop();
        await log.flush();
      },
    };
  } catch (error) {
    await embedded?.stop();
    throw error;
  }
}

function startEmbedded(
  store: SettingsStore,
  { embedded, onNotice }: OpenPlatformOptions,
): Promise<PostgresHandle> {
  const options = { ...toEmbeddedPostgresOptions(store.get(embeddedPostgresSettings)), onNotice };
  return embedded === 'own'
    ? EmbeddedPostgres.start(options)
    : EmbeddedPostgres.attachOrStart(options);
}
