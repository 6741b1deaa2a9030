import { setTimeout as sleep } from 'node:timers/promises';
import type { DataSource } from 'typeorm';
import {
  createDataSource,
  migrate,
  type PersistenceSettings,
  toDatabaseError,
} from '#libs/persistence';
import { databaseParts } from './database-parts.js';

const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 2_000;

/**
 * Connects to a database and runs pending migrations. A server that cannot be reached yet, as
 * when both are started together, is tried again until `database.startTimeoutMs` has passed.
 */
export async function openDatabase(
  url: string,
  settings: PersistenceSettings,
  applicationName: string,
): Promise<DataSource> {
  const dataSource = createDataSource(url, settings, databaseParts, applicationName);
  const deadlineMs = performance.now() + settings.startTimeoutMs;
  for (let delayMs = FIRST_RETRY_MS; ; delayMs = Math.min(delayMs * 2, LONGEST_RETRY_MS)) {
    try {
      await dataSource.initialize();
      break;
    } catch (error) {
      const known = toDatabaseError(error);
      if (known?.kind !== 'unavailable' || performance.now() + delayMs > deadlineMs) {
        throw known ?? error;
      }
      await sleep(delayMs);
    }
  }
  if (settings.migrateOnStart) await migrate(dataSource);
  return dataSource;
}
