import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  it,
  jest,
} from '@jest/globals';
import { Client } from 'pg';
import {
  connectRunning,
  EmbeddedPostgres,
  type EmbeddedPostgresEvent,
  embeddedPostgresEvents,
  type EmbeddedPostgresOptions,
} from '#libs/persistence';
import { snapshot, temporaryFolder } from './support/folders.js';
import { killAllOf, processesOf } from './support/processes.js';

// A disk that others use as well may take long to sync a new database.
jest.setTimeout(60_000);

const started: EmbeddedPostgres[] = [];
let template: ReturnType<typeof temporaryFolder>;
let folder: ReturnType<typeof temporaryFolder>;
let dataDir: string;

beforeAll(async () => {
  template = temporaryFolder('pantheon template');
  const postgres = await EmbeddedPostgres.start({ dataDir: join(template.path, 'data') });
  await postgres.stop();
});

afterAll(() => template.remove());

beforeEach(() => {
  folder = temporaryFolder('pantheon embedded');
  dataDir = join(folder.path, 'data');
});

afterEach(async () => {
  await Promise.all(started.splice(0).map((postgres) => postgres.stop()));
  killAllOf(folder.path);
  folder.remove();
});

/** Copies a database that was made once, which is quicker than making one. */
function useExistingDatabase(): void {
  execFileSync('cp', ['-a', join(template.path, 'data'), dataDir]);
}

/** Without waiting for the disk: killing processes loses nothing that the system has taken. */
const QUICK = { fsync: 'off' };

async function start(options: Partial<EmbeddedPostgresOptions> = {}): Promise<EmbeddedPostgres> {
  const postgres = await EmbeddedPostgres.start({ dataDir, settings: QUICK, ...options });
  started.push(postgres);
  return postgres;
}

/** The first row of a statement, over a connection of its own. */
async function query(url: string, sql: string): Promise<Record<string, unknown>> {
  const client = new Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return ((await client.query(sql)).rows[0] ?? {}) as Record<string, unknown>;
  } finally {
    await client.end();
  }
}

async function eventually<T>(probe: () => Promise<T>, withinMs: number): Promise<T> {
  const giveUpAt = performance.now() + withinMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > giveUpAt) throw error;
      await sleep(20);
    }
  }
}

describe('a new data folder', () => {
  it('gets a database in UTF-8 with checksums, reachable on the loopback with its password only', async () => {
    const postgres = await start({ settings: {} });

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
    expect(statSync(join(dataDir, 'postgres.password')).mode & 0o077).toBe(0);
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o077).toBe(0);
  });

  it('keeps its data for the next start, which accepts connections in under a second', async () => {
    useExistingDatabase();
    const first = await start();
    await query(first.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await first.stop();

    const startedAt = performance.now();
    const second = await start();

    expect(performance.now() - startedAt).toBeLessThan(1_000);
    expect(await query(second.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
  });

  it('takes settings, and a limit of connections', async () => {
    useExistingDatabase();
    const postgres = await start({ maxConnections: 17, settings: { ...QUICK, work_mem: '5MB' } });

    expect(
      await query(
        postgres.url,
        `SELECT current_setting('max_connections') AS max, current_setting('work_mem') AS work`,
      ),
    ).toEqual({ max: '17', work: '5MB' });
  });

  it('is made anew when its making was cut short', async () => {
    mkdirSync(join(dataDir, 'postgres.creating', 'base'), { recursive: true });
    chmodSync(dataDir, 0o711);
    writeFileSync(join(dataDir, 'postgres.creating', 'PG_VERSION'), '18\n');

    const postgres = await start();

    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    expect(existsSync(join(dataDir, 'postgres.creating'))).toBe(false);
  });
});

describe('stopping', () => {
  beforeEach(useExistingDatabase);

  it('leaves no process behind, and may happen twice', async () => {
    const postgres = await start();
    expect(processesOf(folder.path).length).toBeGreaterThan(1);

    await Promise.all([postgres.stop(), postgres.stop()]);
    await postgres.stop();

    expect(processesOf(folder.path)).toEqual([]);
    expect(existsSync(join(dataDir, 'postgres.lock'))).toBe(false);
    await expect(query(postgres.url, 'SELECT 1')).rejects.toThrow('ECONNREFUSED');
  });

  it('disconnects clients that are still there', async () => {
    const postgres = await start();
    const client = new Client({ connectionString: postgres.url });
    client.on('error', () => undefined);
    await client.connect();
    const sleeping = client.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);

    await postgres.stop();

    expect(await sleeping).toContain('terminat');
  });
});

describe('a second user of a data folder', () => {
  beforeEach(useExistingDatabase);

  it('is refused with the process and the settings to change', async () => {
    await start();

    await expect(EmbeddedPostgres.start({ dataDir })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
      ownerPid: process.pid,
      message: expect.stringMatching(
        new RegExp(`process ${process.pid} .*PANTHEON_DATA_DIR.*DATABASE_URL`, 's'),
      ),
    });
  });

  it('is refused also when both start at the same time', async () => {
    const outcomes = await Promise.allSettled([start(), start(), start()]);

    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected') {
        expect(outcome.reason).toMatchObject({ code: 'EMBEDDED_POSTGRES_IN_USE' });
      }
    }
  });

  it('can work with the server that runs, and does not stop it', async () => {
    const postgres = await start();

    const attached = await EmbeddedPostgres.attachOrStart({ dataDir });
    expect(attached.url).toBe(postgres.url);
    expect(await connectRunning(dataDir)).toBe(postgres.url);
    await attached.stop();

    expect(await query(postgres.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    await postgres.stop();
    expect(await connectRunning(dataDir)).toBeUndefined();
  });

  it('starts the server itself when none runs', async () => {
    expect(await connectRunning(dataDir)).toBeUndefined();
    const handle = await EmbeddedPostgres.attachOrStart({ dataDir });
    try {
      expect(await query(handle.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    } finally {
      await handle.stop();
    }
    expect(processesOf(folder.path)).toEqual([]);
  });
});

describe('a port that is asked for', () => {
  beforeEach(useExistingDatabase);

  it('is used', async () => {
    const free = await start();
    const { port } = free;
    await free.stop();

    const postgres = await start({ port });

    expect(new URL(postgres.url).port).toBe(String(port));
  });

  it('is named with its setting when it is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      await expect(start({ port })).rejects.toMatchObject({
        code: 'EMBEDDED_POSTGRES_PORT_TAKEN',
        message: expect.stringMatching(new RegExp(`Port ${port} .*PANTHEON_POSTGRES_PORT`, 's')),
      });
    } finally {
      other.close();
    }
    expect(processesOf(folder.path)).toEqual([]);
    // Nothing is in the way of another try.
    await start();
  });
});

describe('a data folder that does not fit', () => {
  async function expectRefusal(code: string, reason: RegExp): Promise<void> {
    const before = snapshot(dataDir);
    const failure: unknown = await EmbeddedPostgres.start({ dataDir }).catch(
      (error: unknown) => error,
    );
    expect(failure).toMatchObject({
      code,
      message: expect.stringMatching(reason),
    });
    expect(String(failure)).toMatch(/PANTHEON_DATA_DIR.*DATABASE_URL/s);
    const after = snapshot(dataDir);
    // The server says in these why it ended, and that it ran.
    for (const name of ['postgres.log', 'postgres/postmaster.pid', 'postgres/postmaster.opts']) {
      delete before[name];
      delete after[name];
    }
    expect(after).toEqual(before);
    expect(processesOf(folder.path)).toEqual([]);
  }

  it('is left alone when it holds things that are not ours', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'holiday.jpg'), 'sea');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /holiday\.jpg/);
  });

  it('is left alone when it is the data directory of another PostgreSQL', async () => {
    useExistingDatabase();
    const cluster = join(dataDir, 'postgres');
    dataDir = cluster;

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /did not create/);
  });

  it('is left alone when the cluster in it has another major version', async () => {
    useExistingDatabase();
    const cluster = join(dataDir, 'postgres');
    writeFileSync(join(cluster, 'PG_VERSION'), '14\n');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_VERSION', /PostgreSQL 14, and this is 18/);
  });

  it('is left alone when PG_VERSION is missing', async () => {
    useExistingDatabase();
    const cluster = join(dataDir, 'postgres');
    rmSync(join(cluster, 'PG_VERSION'));

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /PG_VERSION/);
  });

  it('is left alone when its password is missing', async () => {
    useExistingDatabase();
    rmSync(join(dataDir, 'postgres.password'));

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /postgres\.password/);
  });

  it.each([
    ['the control file is garbage', 'global/pg_control', Buffer.alloc(8192, 7)],
    ['the control file is empty', 'global/pg_control', Buffer.alloc(0)],
    ['the settings file is garbage', 'postgresql.conf', Buffer.from('what = = is this\n')],
  ])('is left alone, with what the server says, when %s', async (_, file, content) => {
    useExistingDatabase();
    const cluster = join(dataDir, 'postgres');
    writeFileSync(join(cluster, file), content);

    await expectRefusal('EMBEDDED_POSTGRES_DATA_DAMAGED', /PostgreSQL said:\n.*FATAL|PANIC/s);
  });

  it('is left alone when a file stands where the cluster should be', async () => {
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'postgres'), 'a file');

    await expectRefusal('EMBEDDED_POSTGRES_DATA_FOREIGN', /ENOTDIR/);
  });

  it('is named when it cannot be made', async () => {
    writeFileSync(dataDir, 'a file where a folder should be');

    await expect(EmbeddedPostgres.start({ dataDir })).rejects.toMatchObject({
      code: 'EMBEDDED_POSTGRES_DATA_UNUSABLE',
    });
    expect(readFileSync(dataDir, 'utf8')).toBe('a file where a folder should be');
  });
});

describe('a server that dies', () => {
  let events: EmbeddedPostgresEvent[];
  let unsubscribe: () => void;

  beforeEach(() => {
    useExistingDatabase();
    events = [];
    unsubscribe = embeddedPostgresEvents.subscribe((event) => events.push(event));
  });
  afterEach(() => unsubscribe());

  const has = (kind: EmbeddedPostgresEvent['kind']) => async (): Promise<void> => {
    expect(events.map((event) => event.kind)).toContain(kind);
  };

  it('is started again on the same port within five seconds, and loses nothing acknowledged', async () => {
    const postgres = await start();
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
    expect(await connectRunning(dataDir)).toBe(postgres.url);
  });

  it('is tried again with pauses until it starts', async () => {
    const postgres = await start();
    const cluster = join(dataDir, 'postgres');
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
    const postgres = await start();
    chmodSync(join(dataDir, 'postgres'), 0o777);
    process.kill(postgres.pid, 'SIGKILL');
    await eventually(has('restart-failed'), 5_000);

    await postgres.stop();
    chmodSync(join(dataDir, 'postgres'), 0o700);

    expect(processesOf(folder.path)).toEqual([]);
  });
});
