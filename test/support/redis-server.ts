import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A Redis that tests may use; `pid` is there when this process started it. */
export interface TestRedis {
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/**
 * `REDIS_URL` if set, else a new server on a free port. The program is the `redis-server` or
 * `valkey-server` on the PATH; on Debian, as root, it is installed when there is none.
 */
export async function startTestRedis(): Promise<TestRedis> {
  const given = process.env['REDIS_URL'];
  if (given !== undefined && given !== '') {
    return { url: given, pid: undefined, stop: () => Promise.resolve() };
  }
  return startRedisServer();
}

/** A new server on a free port, for tests that freeze or kill it. */
export async function startRedisServer(port?: number): Promise<TestRedis> {
  const program = await findRedisServer();
  const listenPort = port ?? (await freePort());
  const child = spawn(
    program,
    ['--port', String(listenPort), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  await ready(child, program);
  return {
    url: `redis://127.0.0.1:${listenPort}`,
    pid: child.pid,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
}

/** A TCP port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was assigned');
  return address.port;
}

/** The program to start: see `startTestRedis`. */
export async function findRedisServer(): Promise<string> {
  const found = await firstOnPath();
  if (found !== undefined) return found;
  if (process.getuid?.() === 0 && (await exists('apt-get'))) {
    process.stderr.write('Installing redis-server for the tests …\n');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run('apt-get', ['update', '-qq'], { env });
    // Without this file Debian would start a system-wide server right after the installation.
    await run(
      'sh',
      [
        '-c',
        'printf "#!/bin/sh\\nexit 101\\n" > /usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && apt-get install -y -qq --no-install-recommends redis-server; code=$?; rm -f /usr/sbin/policy-rc.d; exit $code',
      ],
      { env },
    );
    const installed = await firstOnPath();
    if (installed !== undefined) return installed;
  }
  throw new Error(
    'The tests need Redis: set REDIS_URL, or put redis-server or valkey-server on the PATH ' +
      '(Debian: apt install redis-server; macOS: brew install valkey).',
  );
}

async function firstOnPath(): Promise<string | undefined> {
  for (const program of ['redis-server', 'valkey-server']) {
    if (await exists(program)) return program;
  }
  return undefined;
}

async function exists(program: string): Promise<boolean> {
  return run('sh', ['-c', `command -v ${program}`]).then(
    () => true,
    () => false,
  );
}

async function ready(child: ChildProcess, program: string): Promise<void> {
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output.includes('Ready to accept connections')) resolve();
    });
    child.once('error', reject);
    child.once('exit', () => reject(new Error(`${program} did not start: ${output}`)));
  });
}
