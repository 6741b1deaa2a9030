import { afterAll, afterEach, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/core';
import { ComponentMonitor, type ComponentReport, type HealthComponent } from '#libs/health';
import { EmbeddedPostgres } from '#libs/persistence';
import { temporaryFolder } from '../start/support/folders.js';
import { processesOf } from '../start/support/processes.js';
import { startRedisServer, type TestRedis } from '../support/redis-server.js';
import { DatabaseComponent } from '../../libs/health/src/components/database.component.js';
import { RedisComponent } from '../../libs/health/src/components/redis.component.js';

jest.setTimeout(60_000);

const TIMEOUT_MS = 300;
/** Reports come from what is known already. */
const REPORT_LIMIT_MS = 50;

const monitors: ComponentMonitor[] = [];

afterEach(async () => {
  await Promise.all(monitors.splice(0).map((monitor) => monitor.stop()));
});

function watch(component: HealthComponent): ComponentMonitor {
  const monitor = new ComponentMonitor(component, {
    intervalMs: 50,
    timeoutMs: TIMEOUT_MS,
    clock: new SystemClock(),
    onChange: () => undefined,
  });
  monitors.push(monitor);
  monitor.start();
  return monitor;
}

async function until(monitor: ComponentMonitor, expected: object): Promise<ComponentReport> {
  for (const deadline = performance.now() + 15_000; ; await sleep(20)) {
    const askedAtMs = performance.now();
    const report = await monitor.report(80);
    expect(performance.now() - askedAtMs).toBeLessThan(REPORT_LIMIT_MS + 80);
    try {
      expect(report).toMatchObject(expected);
      return report;
    } catch (error) {
      if (performance.now() > deadline) throw error;
    }
  }
}

describe('the health of Redis', () => {
  let redis: TestRedis;

  afterEach(() => redis.stop());

  it('is down while it hangs, and up again when it goes on', async () => {
    redis = await startRedisServer();
    const monitor = watch(new RedisComponent(redis.url, TIMEOUT_MS));
    await until(monitor, { status: 'up' });
    process.kill(redis.pid ?? 0, 'SIGSTOP');
    await until(monitor, { status: 'down' });
    process.kill(redis.pid ?? 0, 'SIGCONT');
    await until(monitor, { status: 'up' });
  });

  it('is down when it is killed, and up when another one takes its place', async () => {
    redis = await startRedisServer();
    const { url } = redis;
    const monitor = watch(new RedisComponent(url, TIMEOUT_MS));
    await until(monitor, { status: 'up' });
    await redis.stop();
    const down = await until(monitor, { status: 'down', code: 'REDIS_UNREACHABLE' });
    expect(JSON.stringify(down)).not.toContain('127.0.0.1');
    redis = await startRedisServer(Number(new URL(url).port));
    await until(monitor, { status: 'up' });
  });

  it('is down from the start when there is none', async () => {
    redis = await startRedisServer();
    const { url } = redis;
    await redis.stop();
    await until(watch(new RedisComponent(url, TIMEOUT_MS)), { status: 'down' });
  });
});

describe('the health of PostgreSQL', () => {
  let folder: ReturnType<typeof temporaryFolder>;
  let postgres: EmbeddedPostgres;

  beforeAll(async () => {
    folder = temporaryFolder('pantheon-health');
    postgres = await EmbeddedPostgres.start({ dataDir: join(folder.path, 'data') });
  });

  afterAll(async () => {
    await postgres.stop();
    folder.remove();
  });

  it('is down while all of its processes hang, and up again when they go on', async () => {
    const monitor = watch(new DatabaseComponent(postgres.url, TIMEOUT_MS));
    await until(monitor, { status: 'up' });
    const pids = processesOf(folder.path).map(({ pid }) => pid);
    expect(pids).toContain(postgres.pid);
    for (const pid of pids) process.kill(pid, 'SIGSTOP');
    await until(monitor, { status: 'down' });
    for (const pid of pids) process.kill(pid, 'SIGCONT');
    await until(monitor, { status: 'up' });
  });

  it('is down after a kill, and up again once it has recovered', async () => {
    const monitor = watch(new DatabaseComponent(postgres.url, TIMEOUT_MS));
    await until(monitor, { status: 'up' });
    process.kill(postgres.pid, 'SIGKILL');
    const down = await until(monitor, { status: 'down' });
    expect(JSON.stringify(down)).not.toMatch(/127\.0\.0\.1|ECONN|postgres:/);
    await until(monitor, { status: 'up' });
  });
});
