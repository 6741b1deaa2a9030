import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { EmbeddedPostgres } from '#libs/persistence';
import { temporaryFolder } from '../start/support/folders.js';
import { processesOf } from '../start/support/processes.js';
import { RunningProgram } from '../start/support/running-program.js';
import { freePort, startRedisServer, type TestRedis } from '../support/redis-server.js';

jest.setTimeout(60_000);

const ANSWER_LIMIT_MS = 100;
const NOTICED_WITHIN_MS = 10_000;

let folder: ReturnType<typeof temporaryFolder>;
let postgres: EmbeddedPostgres;
let redis: TestRedis;
let api: RunningProgram;
let url: string;

beforeAll(async () => {
  folder = temporaryFolder('pantheon-health');
  [postgres, redis] = await Promise.all([
    EmbeddedPostgres.start({ dataDir: join(folder.path, 'data') }),
    startRedisServer(),
  ]);
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  api = RunningProgram.run(process.execPath, [join(process.cwd(), 'dist/bin/api.js')], {
    cwd: folder.path,
    env: {
      PATH: process.env['PATH'],
      PORT: String(port),
      DATABASE_URL: postgres.url,
      REDIS_URL: redis.url,
      PANTHEON_HEALTH_INTERVAL_MS: '200',
      PANTHEON_HEALTH_TIMEOUT_MS: '500',
      PANTHEON_SHUTDOWN_DRAIN_DELAY_MS: '1000',
    },
  });
  await api.line(/Pantheon is ready/);
});

afterAll(async () => {
  api.kill('SIGKILL');
  await api.ended;
  await Promise.all([postgres.stop(), redis.stop()]);
  folder.remove();
});

interface Answer {
  readonly httpStatus: number;
  readonly durationMs: number;
  readonly status: string;
  readonly details: Record<string, { status: string; code?: string }>;
}

async function get(path: string): Promise<Answer> {
  const startedAtMs = performance.now();
  const response = await fetch(url + path);
  const body = (await response.json()) as Pick<Answer, 'status' | 'details'>;
  return { ...body, httpStatus: response.status, durationMs: performance.now() - startedAtMs };
}

/** Asks until the answer is as expected; every answer on the way must be quick. */
async function eventually(path: string, expected: object): Promise<Answer> {
  let slow = 0;
  let quick = 0;
  const deadlineMs = performance.now() + NOTICED_WITHIN_MS;
  for (;;) {
    const answer = await get(path);
    if (answer.durationMs > ANSWER_LIMIT_MS) slow += 1;
    else quick += 1;
    try {
      expect(answer).toMatchObject(expected);
      // Some slow answers may be the machine's; a hanging component would make every one slow.
      expect(slow).toBeLessThanOrEqual(Math.max(1, quick));
      return answer;
    } catch (error) {
      if (performance.now() > deadlineMs) throw error;
      await sleep(50);
    }
  }
}

function freeze(pids: readonly number[]): () => void {
  for (const pid of pids) process.kill(pid, 'SIGSTOP');
  return () => {
    for (const pid of pids) process.kill(pid, 'SIGCONT');
  };
}

describe('the health routes', () => {
  it('name every component when all is well', async () => {
    const health = await eventually('/health', { httpStatus: 200, status: 'ok' });
    expect(Object.keys(health.details).sort()).toEqual(
      ['cache', 'database', 'disk', 'eventLoop', 'memory', 'queue', 'redis'].sort(),
    );
    await eventually('/health/ready', { httpStatus: 200 });
  });

  it('are degraded, and still ready, while Redis hangs', async () => {
    const thaw = freeze([redis.pid ?? 0]);
    try {
      await eventually('/health', {
        httpStatus: 200,
        status: 'degraded',
        details: { redis: { status: 'degraded' }, queue: { status: 'degraded' } },
      });
      await eventually('/health/ready', { httpStatus: 200 });
    } finally {
      thaw();
    }
    await eventually('/health', { status: 'ok' });
  });

  it('are not ready while PostgreSQL hangs, answer at once all the same, and stay live', async () => {
    const pids = processesOf(join(folder.path, 'data')).map(({ pid }) => pid);
    expect(pids).toContain(postgres.pid);
    const thaw = freeze(pids);
    try {
      const health = await eventually('/health', { httpStatus: 503, status: 'error' });
      expect(health.details['database']).toMatchObject({ status: 'down' });
      await eventually('/health/ready', { httpStatus: 503 });
      await eventually('/health/live', { httpStatus: 200, status: 'ok' });
      const durations: number[] = [];
      for (let count = 0; count < 21; count += 1) durations.push((await get('/health')).durationMs);
      // A loaded machine may delay one answer or another; a hanging component would delay all.
      expect(durations.sort((a, b) => a - b)[10]).toBeLessThan(ANSWER_LIMIT_MS);
    } finally {
      thaw();
    }
    await eventually('/health/ready', { httpStatus: 200, status: 'ok' });
  });

  it('turn not ready first on SIGTERM, while requests are still answered', async () => {
    api.kill('SIGTERM');
    await eventually('/health/ready', { httpStatus: 503, status: 'shutting_down' });
    expect((await get('/health/live')).httpStatus).toBe(200);
    expect(await api.ended).toEqual({ code: 0, signal: null });
  });
});
