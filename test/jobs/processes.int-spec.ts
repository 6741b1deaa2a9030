import { fileURLToPath } from 'node:url';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { JobBackend } from '../../libs/jobs/src/backend/job-backend.js';
import { PostgresJobBackend } from '../../libs/jobs/src/backend/postgres.backend.js';
import { RedisJobBackend } from '../../libs/jobs/src/backend/redis.backend.js';
import { JobsHarness, until } from '../../libs/jobs/src/testing/jobs-harness.js';
import { cloneTemplate, testRedisUrl } from '../support/database.js';
import { longJob } from './support/long-job.js';

const ROOT = new URL('../../', import.meta.url);
const LIMITS = {
  PANTHEON_JOBS_LOCK_DURATION_MS: '1000',
  PANTHEON_JOBS_STALLED_INTERVAL_MS: '300',
};

describe.each(['PostgreSQL', 'Redis'] as const)('a process with jobs on %s', (store) => {
  let folder: string;
  let database: Awaited<ReturnType<typeof cloneTemplate>>;
  let environment: Record<string, string>;
  let producer: JobsHarness;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pantheon-jobs-'));
    database = await cloneTemplate();
    const keyPrefix = `processes-${process.pid}-${Date.now()}`;
    environment = {
      ...LIMITS,
      DATABASE_URL: database.url,
      ...(store === 'Redis' && {
        REDIS_URL: testRedisUrl(),
        PANTHEON_REDIS_KEY_PREFIX: keyPrefix,
      }),
    };
    producer = new JobsHarness(createBackend(keyPrefix)).handle(longJob, () => Promise.resolve());
  });

  afterEach(async () => {
    for (const child of children.splice(0)) child.kill('SIGKILL');
    await producer.close();
    await database.drop();
    await rm(folder, { recursive: true, force: true });
  });

  function createBackend(keyPrefix: string): JobBackend {
    const common = { onError: () => undefined };
    return store === 'Redis'
      ? new RedisJobBackend({ ...common, url: testRedisUrl(), keyPrefix, timeoutMs: 5_000 })
      : new PostgresJobBackend({
          ...common,
          url: database.url,
          poolSize: 2,
          connectTimeoutMs: 5_000,
          migrate: true,
          applicationName: 'jobs-test-producer',
        });
  }

  async function startWorker(more: Record<string, string> = {}): Promise<ChildProcess> {
    const child = spawn(
      process.execPath,
      [
        `--import=${new URL('test/start/support/register-typescript.mjs', ROOT).href}`,
        fileURLToPath(new URL('test/jobs/support/worker.program.ts', ROOT)),
      ],
      {
        cwd: fileURLToPath(ROOT),
        env: { PATH: process.env['PATH'] ?? '', ...environment, ...more },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    children.push(child);
    if (child.stdout !== null) await once(child.stdout, 'data');
    return child;
  }

  const journal = () => join(folder, 'journal');
  const entries = async (): Promise<string[]> => {
    const text = await readFile(journal(), 'utf8').catch(() => '');
    return text.split('\n').filter((line) => line !== '');
  };
  const allowToFinish = () => writeFile(join(folder, 'finish'), '');
  const state = async (id: string) => (await producer.browser.get(id)).state;

  async function startJob(): Promise<string> {
    const payload = { journal: journal(), untilFile: join(folder, 'finish') };
    const { id } = await producer.queue.enqueue(longJob, payload);
    await until(async () => (await entries()).length === 1, 'the job has started');
    return id;
  }

  it('loses no job to kill -9: it runs again after the restart', async () => {
    const killed = await startWorker();
    const id = await startJob();
    killed.kill('SIGKILL');
    await once(killed, 'exit');
    expect(await state(id)).toBe('active');
    await allowToFinish();
    const successor = await startWorker();
    await until(async () => (await state(id)) === 'completed', 'the job has run again', 15_000);
    expect(await entries()).toEqual([
      `started by ${killed.pid}, attempt 1`,
      `started by ${successor.pid}, attempt 1`,
      `finished by ${successor.pid}`,
    ]);
  }, 30_000);

  it('finishes a running job after SIGTERM', async () => {
    const worker = await startWorker();
    const id = await startJob();
    worker.kill('SIGTERM');
    await allowToFinish();
    expect(await once(worker, 'exit')).toEqual([0, null]);
    expect(await state(id)).toBe('completed');
    expect(await entries()).toEqual([
      `started by ${worker.pid}, attempt 1`,
      `finished by ${worker.pid}`,
    ]);
  }, 30_000);

  it('gives a job back after SIGTERM when the deadline passes, for the next process at once', async () => {
    const worker = await startWorker({ PANTHEON_JOBS_SHUTDOWN_DEADLINE_MS: '200' });
    const id = await startJob();
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
    expect(await state(id)).toBe('waiting');
    await allowToFinish();
    const successor = await startWorker();
    await until(async () => (await state(id)) === 'completed', 'the job has run again');
    expect((await entries()).at(-1)).toBe(`finished by ${successor.pid}`);
  }, 30_000);
});
