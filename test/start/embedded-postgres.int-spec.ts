import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, jest } from '@jest/globals';
import { Client } from 'pg';
import { connectRunning, EmbeddedPostgres } from '#libs/persistence';
import { embeddedHarness, QUICK } from './support/embedded-harness.js';
import { processesOf } from './support/processes.js';
import { query } from './support/query.js';

// A disk that others use as well may take long to sync a new database.
jest.setTimeout(60_000);

const harness = embeddedHarness();

describe('a new data folder', () => {
  it('gets a database in UTF-8 with checksums, reachable on the loopback with its password only', async () => {
    const postgres = await harness.start({ settings: {} });

    expect(
      await query(
        postgres.url,
        `SELECT current_database() AS name, current_setting('server_encoding') AS encoding,
                current_setting('data_checksums') AS checksums,
                current_setting('listen_addresses') AS addresses,
                current_setting('synchronous_commit') AS commit, current_setting('fsync') AS fsync,
                current_setting('shared_preload_libraries') AS libraries,
                (SELECT datlocale FROM pg_database WHERE datname = current_database()) AS locale`,
      ),
    ).toEqual({
      name: 'pantheon',
      encoding: 'UTF8',
      checksums: 'on',
      addresses: '127.0.0.1',
      commit: 'on',
      fsync: 'on',
      libraries: 'pg_stat_statements',
      locale: 'C.UTF-8',
    });
    const wrongPassword = new URL(postgres.url);
    wrongPassword.password = 'wrong';
    await expect(query(wrongPassword.href, 'SELECT 1')).rejects.toThrow('password');
    expect(statSync(join(harness.dataDir, 'postgres.password')).mode & 0o077).toBe(0);
    expect(statSync(join(harness.dataDir, 'postgres.json')).mode & 0o077).toBe(0);
  });

  it('keeps its data for the next start, which accepts connections in under a second', async () => {
    harness.useExistingDatabase();
    const first = await harness.start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const startedAt = performance.now();
    const second = await harness.start();

    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('takes settings, and a limit of connections', async () => {
    harness.useExistingDatabase();
    const postgres = await harness.start({
      maxConnections: 17,
      settings: { ...QUICK, work_mem: '5MB' },
    });

    expect(
      await query(
        postgres.url,
        `SELECT current_setting('max_connections') AS max, current_setting('work_mem') AS work`,
      ),
    ).toEqual({ max: '17', work: '5MB' });
  });

  it('is made anew when its making was cut short', async () => {
    mkdirSync(join(harness.dataDir, 'postgres.creating', 'base'), { recursive: true });
    chmodSync(harness.dataDir, 0o711);
    writeFileSync(join(harness.dataDir, 'postgres.creating', 'PG_VERSION'), '18\n');

    const postgres = await harness.start();

    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    expect(existsSync(join(harness.dataDir, 'postgres.creating'))).toBe(false);
  });
});

describe('stopping', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('leaves no process behind, and may happen twice', async () => {
    const postgres = await harness.start();
    expect(processesOf(harness.folder).length).toBeGreaterThan(1);

    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();

    expect(processesOf(harness.folder)).toEqual([]);
    expect(existsSync(join(harness.dataDir, 'postgres.lock'))).toBe(false);
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('disconnects clients that are still there', async () => {
    const postgres = await harness.start();
    const client = new Client({ connectionString: postgres.url });
    client.on('error', () => undefined);
    await client.connect();
    const sleeping = client.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);

    await postgres.stop();

    expect(await sleeping).toContain('terminat');
  });
});

describe('a second user of a data folder', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('is refused with the process and the settings to change', async () => {
    await harness.start();

    await expect(EmbeddedPostgres.start({ dataDir: harness.dataDir })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
      ownerPid: process.pid,
      message: expect.stringMatching(
        new RegExp(`process ${process.pid} .*PANTHEON_DATA_DIR.*DATABASE_URL`, 's'),
      ),
    });
  });

  it('is refused also when both start at the same time', async () => {
    const outcomes = await Promise.allSettled([harness.start(), harness.start(), harness.start()]);

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ code: 'EMBEDDED_POSTGRES_IN_USE' });
      }
    }
  });

  it('can work with the server that runs, and does not stop it', async () => {
    const postgres = await harness.start();

    const attached = await EmbeddedPostgres.attachOrStart({ dataDir: harness.dataDir });
    expect(attached.url).toBe(postgres.url);
    expect(await connectRunning(harness.dataDir)).toBe(postgres.url);
    await attached.stop();

    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    await postgres.stop();
    expect(await connectRunning(harness.dataDir)).toBeUndefined();
  });

  it('starts the server itself when none runs', async () => {
    expect(await connectRunning(harness.dataDir)).toBeUndefined();
    const handle = await EmbeddedPostgres.attachOrStart({ dataDir: harness.dataDir });
    try {
      expect(await query(handle.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    } finally {
      await handle.stop();
    }
    expect(processesOf(harness.folder)).toEqual([]);
  });
});

describe('a port that is asked for', () => {
  beforeEach(() => harness.useExistingDatabase());

  it('is used', async () => {
    const free = await harness.start();
    const { port } = free;
    await free.stop();

    const postgres = await harness.start({ port });

    expect(new URL(postgres.url).port).toBe(String(port));
  });

  it('is named with its setting when it is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      await expect(harness.start({ port })).rejects.toMatchObject({
        code: 'EMBEDDED_POSTGRES_PORT_TAKEN',
        message: expect.stringMatching(new RegExp(`Port ${port} .*PANTHEON_POSTGRES_PORT`, 's')),
      });
    } finally {
      other.close();
    }
    expect(processesOf(harness.folder)).toEqual([]);
    // Nothing is in the way of another try.
    await harness.start();
  });
});
