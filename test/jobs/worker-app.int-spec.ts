import { fileURLToPath } from 'node:url';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { purgeExpired } from '#libs/jobs';
import { PostgresJobBackend } from '../../libs/jobs/src/backend/postgres.backend.js';
import { JobsHarness, until } from '../../libs/jobs/src/testing/jobs-harness.js';
import { createTestDatabase, type TestDatabase } from '../support/database.js';

const ROOT = new URL('../../', import.meta.url);

describe('apps/worker', () => {
  let database: TestDatabase;
  let producer: JobsHarness;
  let worker: ChildProcess;
  let output = '';

  beforeEach(async () => {
    database = await createTestDatabase();
    producer = new JobsHarness(
      new PostgresJobBackend({
        url: database.url,
        poolSize: 2,
        connectTimeoutMs: 5_000,
        migrate: true,
        applicationName: 'jobs-test-producer',
        onError: () => undefined,
      }),
    ).handle(purgeExpired, () => Promise.resolve());
    const hooks = new URL('test/start/support/register-typescript.mjs', ROOT).href;
    const main = fileURLToPath(new URL('apps/worker/src/main.ts', ROOT));
    worker = spawn(process.execPath, ['--no-warnings', `--import=${hooks}`, main], {
      cwd: fileURLToPath(ROOT),
      env: {
        PATH: process.env['PATH'] ?? '',
        DATABASE_URL: database.url,
        // The worker always runs jobs; the setting is for the API.
        PANTHEON_JOBS_IN_PROCESS: 'false',
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    output = '';
    worker.stdout?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await until(() => output.includes('worker is ready'), 'the worker is ready', 20_000);
  }, 30_000);

  afterEach(async () => {
    worker.kill('SIGKILL');
    await producer.close();
    await database.close();
  });

  it('runs what other processes enqueue, without HTTP, and ends in peace', async () => {
    await database.dataSource.query(
      `INSERT INTO idempotency_key (owner_id, route, key, request_hash, expires_at)
       VALUES (gen_random_uuid(), 'r', 'k', 'h', now() - interval '1 second')`,
    );
    const { id } = await producer.queue.enqueue(purgeExpired, {});
    await until(async () => (await producer.browser.get(id)).state === 'completed', 'it is done');
    expect(await database.dataSource.query('SELECT FROM idempotency_key')).toEqual([]);
    worker.kill('SIGTERM');
    expect(await once(worker, 'exit')).toEqual([0, null]);
    const left = await database.dataSource.query(
      `SELECT application_name FROM pg_stat_activity WHERE datname = current_database()
       AND application_name NOT IN ('pantheon-test', 'jobs-test-producer')`,
    );
    expect(left).toEqual([]);
  }, 30_000);
});
