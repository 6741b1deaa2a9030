import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { createDataSource, persistenceSettings } from '#libs/persistence';
import type { DataSource } from 'typeorm';
import { databaseParts } from '../../apps/shared/src/database-parts.js';
import { loadSettings } from '../../apps/shared/src/load-settings.js';

/** A database of one test file's own. */
export interface TestDatabase {
  readonly url: string;
  readonly dataSource: DataSource;
  /** Disconnects and drops the database. */
  close(): Promise<void>;
}

/** Clones the migrated template into a database of its own and connects to it. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { url, drop } = await cloneTemplate();
  const { store } = await loadSettings({});
  const settings = { ...store.get(persistenceSettings), poolSize: 10 };
  const dataSource = createDataSource(url, settings, databaseParts, 'pantheon-test');
  await dataSource.initialize();
  return {
    url,
    dataSource,
    async close() {
      if (dataSource.isInitialized) await dataSource.destroy();
      await drop();
    },
  };
}

/** Clones the migrated template; for tests whose processes connect by themselves. */
export async function cloneTemplate(): Promise<{ url: string; drop: () => Promise<void> }> {
  const template = new URL(requiredEnvironment('PANTHEON_TEST_POSTGRES_URL'));
  const name = `test_${randomBytes(8).toString('hex')}`;
  const templateName = template.pathname.slice(1);
  await onMaintenanceDatabase(`CREATE DATABASE ${name} TEMPLATE ${templateName}`);
  const url = new URL(template);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    drop: () => onMaintenanceDatabase(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`),
  };
}

/** The Redis of this test run; give your keys a prefix of your own. */
export function testRedisUrl(): string {
  return requiredEnvironment('PANTHEON_TEST_REDIS_URL');
}

async function onMaintenanceDatabase(sql: string): Promise<void> {
  const url = new URL(requiredEnvironment('PANTHEON_TEST_POSTGRES_URL'));
  url.pathname = '/postgres';
  const client = await connected(url.href);
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** A server to which many tests connect at once turns one away now and then. */
async function connected(connectionString: string, tries = 5): Promise<Client> {
  const client = new Client({ connectionString });
  try {
    await client.connect();
    return client;
  } catch (error) {
    if (tries <= 1) throw error;
    await sleep(200);
    return connected(connectionString, tries - 1);
  }
}

function requiredEnvironment(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set: run this test through Jest.`);
  return value;
}
