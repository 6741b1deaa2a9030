import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import {
  connectRunning,
  EmbeddedPostgres,
  type EmbeddedPostgresEvent,
  embeddedPostgresEvents,
} from '#libs/persistence';
import { embeddedHarness } from './support/embedded-harness.js';
import { snapshot } from './support/folders.js';
import { processesOf } from './support/processes.js';
import { eventually, query } from './support/query.js';

// A disk that others use as well may take long to sync a new database.
jest.setTimeout(60_000);

const harness = embeddedHarness();

describe('a data folder that does not fit', () => {
  async function expectRefusal(code: string, reason: RegExp): Promise<void> {
    const before = snapshot(harness.dataDir);
    const failure: unknown = await EmbeddedPostgres.start({ dataDir: harness.dataDir }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code,
      message: expect.stringMatching(reason),
    });
    expect(String(failure)).toMatch(/PANTHEON_DATA_DIR.*DATABASE_URL/s);
    const after = snapshot(harness.dataDir);
    // The server says in these why it ended, and that it ran.
    for (const name of ['postgres.log', 'postgres/postmaster.pid', 'postgres/postmaster.opts']) {
      delete before[name];
      delete after[name];
    }
    expect(after).toEqual(before);
    expect(processesOf(harness.folder)).toEqual([]);
  }

  it('is left alone when it holds things that are not ours', async () => {
    mkdirSync(harness.dataDir);
    writeFileSync(join(harness.dataDir, 'holiday.jpg'), 'sea');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /holiday\.jpg/);
  });

  it('is left alone when it is the data directory of another PostgreSQL', async () => {
    harness.useExistingDatabase();
    const cluster = join(harness.dataDir, 'postgres');
    harness.dataDir = cluster;

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /did not create/);
  });

  it('is left alone when the cluster in it has another major version', async () => {
    harness.useExistingDatabase();
    const cluster = join(harness.dataDir, 'postgres');
    writeFileSync(join(cluster, 'PG_VERSION'), '14\n');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_VERSION', /PostgreSQL 14, and this is 18/);
  });

  it('is left alone when PG_VERSION is missing', async () => {
    harness.useExistingDatabase();
    const cluster = join(harness.dataDir, 'postgres');
    rmSync(join(cluster, 'PG_VERSION'));

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /PG_VERSION/);
  });

  it('is left alone when its password is missing', async () => {
    harness.useExistingDatabase();
    rmSync(join(harness.dataDir, 'postgres.password'));

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /postgres\.password/);
  });

  it.each([
    ['the control file is garbage', 'global/pg_control', Buffer.alloc(8192, 7)],
    ['the control file is empty', 'global/pg_control', Buffer.alloc(0)],
    ['the settings file is garbage', 'postgresql.conf', Buffer.from('what = = is this\n')],
  ])('is left alone, with what the server says, when %s', async (_, file, content) => {
    harness.useExistingDatabase();
    const cluster = join(harness.dataDir, 'postgres');
    writeFileSync(join(cluster, file), content);

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /PostgreSQL said:\n.*FATAL|PANIC/s);
  });

  it('is left alone when a file stands where the cluster should be', async () => {
    mkdirSync(harness.dataDir);
    writeFileSync(join(harness.dataDir, 'postgres'), 'a file');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /ENOTDIR/);
  });

  it('is named when it cannot be made', async () => {
    writeFileSync(harness.dataDir, 'a file where a folder should be');

    await expect(EmbeddedPostgres.start({ dataDir: harness.dataDir })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_DATA_UNUSABLE',
    });
    expect(readFileSync(harness.dataDir, 'utf8')).toBe('a file where a folder should be');
  });
});

describe('a server that dies', () => {
  let events: EmbeddedPostgresEvent[];
  let unsubscribe: () => void;

  beforeEach(() => {
    harness.useExistingDatabase();
    events = [];
    unsubscribe = embeddedPostgresEvents.subscribe((event) => events.push(event));
  });
  afterEach(() => unsubscribe());

  const has = (kind: EmbeddedPostgresEvent['kind']) => async (): Promise<void> => {
    expect(events.map((event) => event.kind)).toContain(kind);
  };

  it('is started again on the same port within five seconds, and loses nothing acknowledged', async () => {
    const postgres = await harness.start();
    await query(postgres.url, 'CREATE TABLE kept (n int)');
    await query(postgres.url, 'INSERT INTO kept SELECT generate_series(1, 1000)');
    const { pid } = postgres;

    process.kill(pid, 'SIGKILL');

    const { count } = await eventually(
      () => query(postgres.url, 'SELECT count(*)::int AS count FROM kept'),
      5_000,
    );
    expect(count).toBe(1_000);
    await eventually(has('restarted'), 1_000);
    expect(postgres.pid).not.toBe(pid);
    expect(events.map(({ kind }) => kind)).toEqual(['started', 'died', 'restarted']);
    expect(await connectRunning(harness.dataDir)).toBe(postgres.url);
  });

  it('is tried again with pauses until it starts', async () => {
    const postgres = await harness.start();
    const cluster = join(harness.dataDir, 'postgres');
    // PostgreSQL refuses a data directory that others can read.
    chmodSync(cluster, 0o777);
    process.kill(postgres.pid, 'SIGKILL');
    await eventually(has('restart-failed'), 5_000);

    chmodSync(cluster, 0o700);

    expect(await eventually(() => query(postgres.url, 'SELECT 1 AS one'), 5_000)).toEqual({
      one: 1,
    });
  });

  it('stays down when it is stopped meanwhile', async () => {
    const postgres = await harness.start();
    chmodSync(join(harness.dataDir, 'postgres'), 0o777);
    process.kill(postgres.pid, 'SIGKILL');
    await eventually(has('restart-failed'), 5_000);

    await postgres.stop();
    chmodSync(join(harness.dataDir, 'postgres'), 0o700);

    expect(processesOf(harness.folder)).toEqual([]);
  });
});
