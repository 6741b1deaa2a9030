import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { snapshot, temporaryFolder } from './support/folders.js';
import { killAllOf, processesOf } from './support/processes.js';
import { copyProject, NpmStart } from './support/project-copy.js';
import { isRoot, ordinaryUser } from './support/users.js';

jest.setTimeout(120_000);

let folder: ReturnType<typeof temporaryFolder>;
let project: string;
let sharedFolder: string;
/** The process groups of every start. */
const groups: number[] = [];

beforeAll(() => {
  folder = temporaryFolder('pantheon start');
  project = join(folder.path, 'my project');
  sharedFolder = join(folder.path, 'shared');
  copyProject(project);
});

afterEach(() => killAllOf(folder.path, groups));
afterAll(() => folder.remove());

function start(environment: Record<string, string> = {}, user = {}): NpmStart {
  const variables = { PANTHEON_POSTGRES_SHARED_FOLDER: sharedFolder, ...environment };
  const npmStart = NpmStart.run(project, { environment: variables, user });
  groups.push(npmStart.program.pid);
  return npmStart;
}

/** The status of /health/ready, which on a busy machine takes a moment to become 200. */
async function ready(url: string): Promise<number> {
  for (let tries = 1; ; tries++) {
    const { status } = await fetch(`${url}/health/ready`);
    if (status === 200 || tries === 100) return status;
    await sleep(100);
  }
}

async function logIn(url: string, email: string, password: string): Promise<number> {
  const response = await fetch(`${url}/v1/auth/login`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password }),
  });
  return response.status;
}

/** A request of which the last byte is still missing. */
async function sendMostOfARequest(url: string): Promise<{ socket: Socket; finish(): void }> {
  const body = JSON.stringify({ email: 'nobody@example.com', password: 'not my password' });
  const { hostname, port, host } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  socket.write(
    `POST /v1/auth/login HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${body.length}\r\n\r\n${body.slice(0, -1)}`,
  );
  return { socket, finish: () => socket.write(body.slice(-1)) };
}

describe('npm start in a folder with spaces in its name', () => {
  let credentials: { email: string; password: string };

  it('prints its addresses, and on the first start the credentials of the administrator', async () => {
    const npmStart = start();
    const url = await npmStart.url();
    const valueOf = async (name: string): Promise<string> =>
      (await npmStart.program.line(new RegExp(`^ +${name} +\\S`))).trim().split(/ +/)[1] ?? '';
    credentials = { email: await valueOf('Email'), password: await valueOf('Password') };

    for (const [name, path] of [
      ['Docs', '/docs'],
      ['Health', '/health'],
      ['Metrics', '/metrics'],
      ['Dashboard', '/dashboard'],
    ] as const) {
      expect(await valueOf(name)).toBe(`${url}${path}`);
    }
    expect(await ready(url)).toBe(200);
    expect(await logIn(url, credentials.email, credentials.password)).toBe(200);
    expect(existsSync(join(project, '.pantheon'))).toBe(true);

    expect(await npmStart.terminate()).toBe(0);
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it('tells the credentials no second time, and keeps them, also without a usable HOME', async () => {
    const npmStart = start({ HOME: '/dev/null' });
    const url = await npmStart.url();

    expect(await logIn(url, credentials.email, credentials.password)).toBe(200);

    expect(await npmStart.terminate()).toBe(0);
    expect(npmStart.program.output).not.toContain(credentials.password);
    expect(npmStart.program.output).not.toMatch(/Password/);
    // Nothing was installed or built either.
    expect(npmStart.program.output).not.toMatch(/Installing|Building/);
  });

  it('starts again after everything was killed', async () => {
    const killed = start();
    await killed.url();
    killAllOf(folder.path, groups);
    await killed.program.ended;

    const npmStart = start();
    const url = await npmStart.url();

    expect(await logIn(url, credentials.email, credentials.password)).toBe(200);
    expect(await npmStart.terminate()).toBe(0);
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it('takes over the database of a process that was killed', async () => {
    const killed = start();
    await killed.url();
    process.kill(-killed.program.pid, 'SIGKILL');
    await killed.program.ended;
    expect(processesOf(folder.path).length).toBeGreaterThan(0);

    const npmStart = start();
    const url = await npmStart.url();

    expect(npmStart.program.output).toContain('Took over PostgreSQL');
    expect(await logIn(url, credentials.email, credentials.password)).toBe(200);
    expect(await npmStart.terminate()).toBe(0);
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it.each([
    ['SIGTERM', (npmStart: NpmStart): void => npmStart.program.kill('SIGTERM')],
    // The group gets the signal from the terminal and the program once more from npm.
    ['Ctrl-C', (npmStart: NpmStart): void => npmStart.pressCtrlC()],
  ])('answers a request under way before %s ends it, and leaves no process', async (_, end) => {
    const npmStart = start();
    const { socket, finish } = await sendMostOfARequest(await npmStart.url());
    await sleep(100);

    end(npmStart);
    await sleep(300);
    expect(processesOf(folder.path, groups)).not.toEqual([]);
    finish();
    const [answer] = (await once(socket, 'data')) as [Buffer];
    socket.destroy();
    await npmStart.program.ended;

    expect(answer.toString()).toMatch(/^HTTP\/1\.1 401 /);
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it('leaves no process when it is interrupted while it starts', async () => {
    const npmStart = start();
    // PostgreSQL runs from about here on.
    while (processesOf(join(project, '.pantheon')).length === 0) await sleep(5);

    npmStart.pressCtrlC();
    await npmStart.program.ended;

    for (let tries = 0; tries < 400 && processesOf(folder.path, groups).length > 0; tries++) {
      await sleep(50);
    }
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it('refuses a second start, naming the first and the settings', async () => {
    const first = start();
    await first.url();

    const second = start();
    expect((await second.program.ended).code).toBe(1);

    expect(second.program.output).toContain('[EMBEDDED_POSTGRES_IN_USE]');
    expect(second.program.output).toMatch(
      /in use by process \d+ .*PANTHEON_DATA_DIR.*DATABASE_URL/,
    );
    expect(await first.terminate()).toBe(0);
  });

  it('names a port that is taken, and the setting', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    try {
      const npmStart = start({ PORT: String(port) });
      expect((await npmStart.program.ended).code).toBe(1);

      expect(npmStart.program.output).toMatch(new RegExp(`\\b${port}\\b.*\\bPORT\\b`, 's'));
      expect(npmStart.program.output).not.toMatch(/^ +at /m);
      expect(processesOf(folder.path, groups)).toEqual([]);
    } finally {
      other.close();
    }
  });

  it('names a data folder that is not ours, and leaves it alone', async () => {
    const dataDir = join(folder.path, 'holiday pictures');
    mkdirSync(dataDir);
    writeFileSync(join(dataDir, 'sea.jpg'), 'waves');
    const before = snapshot(dataDir);

    const npmStart = start({ PANTHEON_DATA_DIR: dataDir });
    expect((await npmStart.program.ended).code).toBe(1);

    expect(npmStart.program.output).toContain('[EMBEDDED_POSTGRES_DATA_FOREIGN]');
    expect(npmStart.program.output).toContain(dataDir);
    expect(npmStart.program.output).toMatch(/PANTHEON_DATA_DIR/);
    expect(snapshot(dataDir)).toEqual(before);
  });

  it('names a damaged database with what PostgreSQL says, and leaves it alone', async () => {
    const control = join(project, '.pantheon', 'postgres', 'global', 'pg_control');
    const intact = readFileSync(control);
    writeFileSync(control, Buffer.alloc(intact.length, 7));
    const before = snapshot(join(project, '.pantheon', 'postgres', 'base'));

    const npmStart = start();
    expect((await npmStart.program.ended).code).toBe(1);

    expect(npmStart.program.output).toContain('[EMBEDDED_POSTGRES_DATA_DAMAGED]');
    expect(npmStart.program.output).toMatch(/PostgreSQL said:\n.*\bFATAL\b/s);
    expect(snapshot(join(project, '.pantheon', 'postgres', 'base'))).toEqual(before);
    writeFileSync(control, intact);
  });
});

describe('npm start', () => {
  it('runs for an ordinary user without further rights', async () => {
    const dataDir = join(folder.path, 'data of an ordinary user');
    mkdirSync(dataDir, { mode: 0o700 });
    if (ordinaryUser.uid !== undefined) chownSync(dataDir, ordinaryUser.uid, ordinaryUser.gid);

    const npmStart = start({ PANTHEON_DATA_DIR: dataDir, HOME: '' }, ordinaryUser);
    expect(await ready(await npmStart.url())).toBe(200);

    expect(statSync(join(dataDir, 'postgres')).uid).toBe(ordinaryUser.uid ?? process.getuid?.());
    expect(await npmStart.terminate()).toBe(0);
    expect(processesOf(folder.path, groups)).toEqual([]);
  });

  it('runs from a folder that only its owner can read, for root with the database elsewhere', async () => {
    chmodSync(project, 0o700);
    try {
      const environment = { PANTHEON_DATA_DIR: join(project, 'private data') };
      for (const isFirst of [true, false]) {
        const npmStart = start(environment);
        expect(await ready(await npmStart.url())).toBe(200);
        expect(await npmStart.terminate()).toBe(0);

        const { output } = npmStart.program;
        expect(output.includes('The database is kept in')).toBe(isRoot && isFirst);
        expect(output.includes('PostgreSQL was copied to')).toBe(isRoot && isFirst);
        expect(/Password/.test(output)).toBe(isFirst);
      }
      expect(existsSync(sharedFolder)).toBe(isRoot);
      expect(processesOf(folder.path, groups)).toEqual([]);
    } finally {
      chmodSync(project, 0o755);
    }
  });
});
