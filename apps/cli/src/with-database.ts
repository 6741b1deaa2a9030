import type { DataSource } from 'typeorm';
import type { SettingsStore } from '#libs/config';
import {
  EmbeddedPostgres,
  embeddedPostgresSettings,
  type PersistenceSettings,
  persistenceSettings,
  type PostgresHandle,
  toEmbeddedPostgresOptions,
} from '#libs/persistence';
import { loadSettings } from '../../shared/src/load-settings.js';
import { openDatabase } from '../../shared/src/open-database.js';
import type { CommandIo } from './command-spec.js';

/** A migrated database to work with, and the settings that led to it. */
export interface OpenDatabase {
  readonly dataSource: DataSource;
  readonly store: SettingsStore;
}

/**
 * Runs `work` on the database that the settings name, with its migrations applied. Without a
 * DATABASE_URL that is the embedded one: the one that a live API runs, else one that is started
 * here and stopped at the end. `overrides` win over the settings. Everything is closed whatever happens.
 */
export async function withDatabase<Result>(
  databaseUrl: string | undefined,
  io: CommandIo,
  overrides: Partial<Pick<PersistenceSettings, 'migrateOnStart'>>,
  work: (database: OpenDatabase) => Promise<Result>,
): Promise<Result> {
  const environment = databaseUrl === undefined ? io.env : { ...io.env, DATABASE_URL: databaseUrl };
  const { store } = await loadSettings(environment);
  // A server waits for its database to come up; somebody at a terminal wants to know now.
  const settings = { ...store.get(persistenceSettings), startTimeoutMs: 0, ...overrides };
  const embedded = settings.url === undefined ? await startEmbedded(store, io) : undefined;
  try {
    const url = settings.url ?? embedded?.url ?? '';
    const dataSource = await openDatabase(url, settings, 'pantheon-cli');
    try {
      return await work({ dataSource, store });
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
    }
  } finally {
    await embedded?.stop();
  }
}

function startEmbedded(store: SettingsStore, io: CommandIo): Promise<PostgresHandle> {
  return EmbeddedPostgres.attachOrStart({
    ...toEmbeddedPostgresOptions(store.get(embeddedPostgresSettings)),
    onNotice: (sentence) => void io.stderr.write(`${sentence}\n`),
  });
}
