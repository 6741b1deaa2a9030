import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { EmbeddedPostgres } from '#libs/persistence';
import { cloneTemplate, testRedisUrl } from '../support/database.js';
import { freePort } from '../support/redis-server.js';
import { readCompose } from './compose.js';
import { documentPaths, fencedBlocks } from './markdown.js';

const run = promisify(execFile);

/** Every command line of the documents; those of the README's tour have a test of their own. */
const commands = (
  await Promise.all(
    (await documentPaths()).map(async (path) => {
      const blocks = fencedBlocks(await readFile(path, 'utf8'));
      return blocks
        .filter(({ language, heading }) => language === 'sh' && !heading.startsWith('A tour'))
        .flatMap(({ text, line }) =>
          text
            .split('\n')
            .map((command, index) => ({ command, at: `${path}:${line + 1 + index}` })),
        );
    }),
  )
).flat();

describe('the commands of the documents', () => {
  let database: Awaited<ReturnType<typeof cloneTemplate>>;
  let folder: string;
  let port: number;

  beforeAll(async () => {
    database = await cloneTemplate();
    folder = await mkdtemp(join(tmpdir(), 'pantheon-docs-'));
    await chmod(folder, 0o711);
    port = await freePort();
  });

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
    await database.drop();
  });

  it.each(commands)(
    'do what they say: $command ($at)',
    async ({ command }) => {
      const check = checks[command];
      if (check === undefined) throw new Error('nothing here runs this command: add how');
      await check(command);
    },
    120_000,
  );

  const checks: Readonly<Record<string, (command: string) => Promise<void>>> = {
    'npm ci': isInCi,
    'npm test': isInCi,
    // The tour starts it, and ends it.
    'npm start': async () => expect(await readFile('README.md', 'utf8')).toContain('A tour'),
    'npm run check': async (command) =>
      expect(await readFile('scripts/test.mjs', 'utf8')).toContain(
        `scripts/${command.split(' ')[2]}.mjs`,
      ),
    'npm test -- --help': printsAll('N passed, N failed'),
    'npm run build': printsAll(''),
    // On a busy machine the ratio may be above its limit, which ends it with 1.
    'npm run bench:http-cache': async (command) => {
      const { stdout } = await shell(`${command} -- --rounds=1 --json || true`);
      expect(stdout).toContain('"benchmark":"http-cache"');
    },
    'npm run docs:settings': printsAll('docs/settings.md is up to date.'),
    'npm run pantheon -- --help': printsAll('ingest', 'migrate'),
    'npm run pantheon -- config check': printsAll('The configuration is valid'),
    'npm run pantheon -- config show': printsAll('database.url', 'PANTHEON_DATABASE_POOL_SIZE'),
    'npm run pantheon -- index advise': printsAll('PostgreSQL 18', 'Notes:'),
    'npm run pantheon -- index schema': printsAll(''),
    'npm run bench:index': async (command) => {
      // What is advised on a busy machine within the time may differ, which ends it with 1.
      const { stdout } = await shell(`${command} -- --parts=shop --rounds=1 --json || true`);
      expect(stdout).toContain('"benchmark":"index"');
    },
    'npm run pantheon -- migrate': async (command) => {
      await shell(command);
      await printsAll('The database is up to date.')(command);
    },
    'DATABASE_URL=postgres://pantheon:secret@db.example/pantheon NODE_ENV=production npm run start:prod':
      (command) =>
        runsUntilStopped(
          command.replace(/DATABASE_URL=\S+/, `DATABASE_URL=${database.url}`),
          `http://127.0.0.1:${port}`,
        ),
    'npm run start:worker': (command) => runsUntilStopped(command, "Pantheon's worker is ready"),
    'cp -a .pantheon backup-of-pantheon': isBackup,
    // It writes to the folder of the project, so compose.spec.ts gives it another path.
    'node deploy/docker/make-env.mjs': async (command) =>
      expect(await readFile('test/docs/compose.spec.ts', 'utf8')).toContain(command.split(' ')[1]),
    'docker compose --env-file deploy/compose.env up --build --detach --wait': isForCompose,
    'docker compose --env-file deploy/compose.env up --detach --scale api=4': isForCompose,
  };

  async function shell(command: string, cwd = process.cwd()) {
    return run('bash', ['-c', command], {
      cwd,
      env: { ...process.env, NODE_OPTIONS: '', NODE_ENV: '', DATABASE_URL: database.url },
    });
  }

  function printsAll(...expected: readonly string[]) {
    return async (command: string): Promise<void> => {
      const { stdout, stderr } = await shell(command);
      for (const text of expected) expect(stdout + stderr).toContain(text);
    };
  }

  async function isInCi(command: string): Promise<void> {
    expect(await readFile('.ci/run', 'utf8')).toContain(command);
  }

  /** Starts a program, waits for what it prints when it is ready, and ends it. */
  async function runsUntilStopped(command: string, ready: string): Promise<void> {
    const child = spawn('bash', ['-c', `exec ${command.replace(/^(\S+=\S+ )+/, 'env $&')}`], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: {
        ...process.env,
        NODE_OPTIONS: '',
        NODE_ENV: '',
        DATABASE_URL: database.url,
        REDIS_URL: testRedisUrl(),
        PANTHEON_REDIS_KEY_PREFIX: `docs-${port}`,
        PANTHEON_ADMIN_PASSWORD: 'correct horse battery staple',
        PORT: String(port),
      },
    });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
    }
    while (!output.includes(ready)) {
      if (child.exitCode !== null) throw new Error(`it ended: ${output}`);
      await sleep(50);
    }
    // When its output ends, so have all processes that npm started.
    const ended = once(child, 'close');
    process.kill(-(child.pid ?? 0), 'SIGTERM');
    await ended;
  }

  async function isBackup(command: string): Promise<void> {
    const data = join(folder, '.pantheon');
    const original = await EmbeddedPostgres.start({ dataDir: data });
    await query(original.url, 'CREATE TABLE kept AS SELECT 42 AS answer');
    await original.stop();
    await shell(command, folder);
    await rm(data, { recursive: true });
    const restored = await EmbeddedPostgres.start({ dataDir: join(folder, 'backup-of-pantheon') });
    try {
      expect(await query(restored.url, 'SELECT answer FROM kept')).toEqual([{ answer: 42 }]);
    } finally {
      await restored.stop();
    }
  }

  /** There is no engine here: the command fits the files, which have tests of their own. */
  async function isForCompose(command: string): Promise<void> {
    const [, file = ''] = /--env-file (\S+)/.exec(command) ?? [];
    expect(await readFile('deploy/docker/make-env.mjs', 'utf8')).toContain(`'${file}'`);
    expect(await readFile('.gitignore', 'utf8')).toContain(file);
    const [, service, count] = /--scale (\w+)=(\d+)/.exec(command) ?? [];
    if (service === undefined) return;
    expect(Object.keys((await readCompose()).services)).toContain(service);
    const balancer = await readFile('deploy/haproxy/haproxy.cfg', 'utf8');
    const [, slots] = new RegExp(`server-template \\w+ (\\d+) ${service}:`).exec(balancer) ?? [];
    expect(Number(slots)).toBeGreaterThanOrEqual(Number(count));
  }

  async function query(url: string, sql: string): Promise<unknown[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end();
    }
  }
});
