import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SettingsStore, type SettingsSection } from '#libs/config';
import {
  createDataSource,
  type DatabaseParts,
  EmbeddedPostgres,
  migrate,
  persistenceSettings,
} from '#libs/persistence';
import { Client } from 'pg';
import type { DataSource } from 'typeorm';

/** A migrated database that a benchmark has to itself. */
export interface BenchDatabase {
  readonly dataSource: DataSource;
  readonly url: string;
  /** `embedded`, or the host of DATABASE_URL. */
  readonly server: string;
  /** Process id of an embedded server. */
  readonly serverPid: number | undefined;
  /** Disconnects and leaves nothing behind. */
  close(): Promise<void>;
}

/**
 * A new database on the server of DATABASE_URL, or else on an embedded PostgreSQL in a temporary
 * folder, with its ordinary settings.
 */
export async function openBenchDatabase(parts: DatabaseParts): Promise<BenchDatabase> {
  const given = process.env['DATABASE_URL'];
  const server = given === undefined || given === '' ? await startEmbedded() : serverAt(given);
  const name = `pantheon_bench_${randomBytes(6).toString('hex')}`;
  const cleanUp = async (): Promise<void> => {
    await execute(server.url, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`);
    await server.stop();
  };
  const onSignal = (): void => {
    void cleanUp().finally(() => process.exit(INTERRUPTED));
  };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    await execute(server.url, `CREATE DATABASE ${name}`);
    const url = new URL(server.url);
    url.pathname = `/${name}`;
    const sections: readonly SettingsSection[] = [persistenceSettings];
    const settings = new SettingsStore(sections).get(persistenceSettings);
    const dataSource = createDataSource(url.href, settings, parts, 'pantheon-bench');
    await dataSource.initialize();
    await migrate(dataSource);
    return {
      dataSource,
      url: url.href,
      server: server.name,
      serverPid: server.pid,
      async close() {
        process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
        if (dataSource.isInitialized) await dataSource.destroy();
        await cleanUp();
      },
    };
  } catch (error) {
    await cleanUp();
    throw error;
  }
}

/** What a shell expects of a program that a signal has ended. */
const INTERRUPTED = 130;

interface Server {
  readonly url: string;
  readonly name: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

function serverAt(url: string): Server {
  return { url, name: new URL(url).host, pid: undefined, stop: () => Promise.resolve() };
}

async function startEmbedded(): Promise<Server> {
  const folder = await mkdtemp(join(tmpdir(), 'pantheon-bench-'));
  // Root runs the server as another user, who has to reach its folder.
  await chmod(folder, 0o711);
  const postgres = await EmbeddedPostgres.start({ dataDir: join(folder, 'data') });
  return {
    url: postgres.url,
    name: 'embedded',
    pid: postgres.pid,
    async stop() {
      await postgres.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function execute(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}
