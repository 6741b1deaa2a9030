import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { RateLimits } from '#libs/resilience';
import { BACKPLANES, type Instances, startInstances } from '../cache-domain/instances.js';
import type { TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';
import { freePort, startRedisServer, type TestRedis } from '../support/redis-server.js';

const SMALL = 'GET /v1/auth/me';
const STEADY = 'GET /v1/auth/users';
/** So low that a busy machine asks for more, too. */
const STEADY_CAPACITY = 10;
const STEADY_PER_SECOND = 4;

const environment = {
  // A busy machine is no store that is away.
  PANTHEON_RATE_LIMIT_STORE_TIMEOUT_MS: '5000',
  PANTHEON_RATE_LIMIT_ROUTES: JSON.stringify({
    [SMALL]: [{ by: 'user', capacity: 20, refillPerHour: 1 }],
    [STEADY]: [{ by: 'user', capacity: STEADY_CAPACITY, refillPerSecond: STEADY_PER_SECOND }],
  }),
};

async function statusOf(api: TestApi, route: string, token: string): Promise<number> {
  return (await api.request('GET', route.slice('GET '.length), { token })).status;
}

/** Waits until both share their limits: a busy machine may take its time to connect. */
async function sharing({ a, b }: Instances): Promise<void> {
  const isShared = (api: TestApi) => api.app.get(RateLimits).store.state === 'shared';
  for (let attempt = 0; attempt < 100 && !(isShared(a) && isShared(b)); attempt += 1) {
    // It is looked for while there are requests.
    await Promise.all([a, b].map((api) => api.request('GET', '/v1/no-such-page')));
    await sleep(50);
  }
}

const count = (statuses: readonly number[], status: number) =>
  statuses.filter((one) => one === status).length;

describe.each(BACKPLANES)('two processes that share their limits through %s', (store) => {
  let instances: Instances;

  beforeAll(async () => {
    instances = await startInstances(store, testRedisUrl(), environment);
    await sharing(instances);
  });
  afterAll(() => instances.close());

  it('let exactly the budget through together', async () => {
    const { a, b } = instances;
    const token = await a.register('shared@test.example');
    const asked = Array.from({ length: 60 }, (_, at) =>
      statusOf(at % 2 === 0 ? a : b, SMALL, token),
    );
    const statuses = await Promise.all(asked);
    expect([count(statuses, 200), count(statuses, 429)]).toEqual([20, 40]);
    expect(await statusOf(b, SMALL, token)).toBe(429);
    expect(a.app.get(RateLimits).store.state).toBe('shared');
  });

  it('let through what one would under a steady load, and no more', async () => {
    const { a, b } = instances;
    const token = await a.login();
    const startedMs = performance.now();
    const statuses: number[] = [];
    while (performance.now() - startedMs < 3_000) {
      const batch = [a, b, a, b].map((api) => statusOf(api, STEADY, token));
      statuses.push(...(await Promise.all(batch)));
    }
    const seconds = (performance.now() - startedMs) / 1_000;
    const most = STEADY_CAPACITY + STEADY_PER_SECOND * seconds;
    expect(count(statuses, 200)).toBeLessThanOrEqual(Math.floor(most));
    expect(count(statuses, 200)).toBeGreaterThanOrEqual(Math.floor(most * 0.7));
    expect(count(statuses, 200) + count(statuses, 429)).toBe(statuses.length);
  });
});

describe('two processes whose Redis goes away', () => {
  let redis: TestRedis;
  let port: number;
  let instances: Instances;
  let token: string;

  beforeAll(async () => {
    port = await freePort();
    redis = await startRedisServer(port);
    instances = await startInstances('Redis', redis.url, {
      ...environment,
      PANTHEON_RATE_LIMIT_STORE_TIMEOUT_MS: '150',
      PANTHEON_RATE_LIMIT_STORE_PAUSE_MS: '100',
    });
    token = await instances.a.login();
  });
  afterAll(async () => {
    if (redis.pid !== undefined) process.kill(redis.pid, 'SIGCONT');
    await instances.close();
    await redis.stop();
  });

  const states = () => [instances.a, instances.b].map((api) => api.app.get(RateLimits).store.state);

  /** Requests of both until `isOver`; what they were answered, and the longest time that one took. */
  async function load(isOver: () => boolean) {
    const startedMs = performance.now();
    const statuses: number[] = [];
    let longestMs = 0;
    const ask = async (api: TestApi): Promise<void> => {
      while (!isOver()) {
        const askedMs = performance.now();
        statuses.push(await statusOf(api, STEADY, token));
        longestMs = Math.max(longestMs, performance.now() - askedMs);
        await sleep(5);
      }
    };
    await Promise.all([instances.a, instances.b].map((api) => ask(api)));
    const seconds = (performance.now() - startedMs) / 1_000;
    return { statuses, longestMs, seconds };
  }

  async function reach(state: 'shared' | 'local'): Promise<void> {
    await expect(settled(state)).resolves.toBe(true);
  }

  async function settled(state: 'shared' | 'local'): Promise<boolean> {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      if (states().every((one) => one === state)) return true;
      await sleep(50);
    }
    return false;
  }

  /** Makes Redis go and come back under load. */
  async function outage(goAway: () => void | Promise<void>, comeBack: () => void | Promise<void>) {
    await reach('shared');
    let isOver = false;
    const loading = load(() => isOver);
    await sleep(300);
    await goAway();
    await reach('local');
    await sleep(700);
    await comeBack();
    await reach('shared');
    await sleep(300);
    isOver = true;
    return loading;
  }

  function expectNothingLost({ statuses, longestMs, seconds }: Awaited<ReturnType<typeof load>>) {
    // No request has failed.
    expect(count(statuses, 200) + count(statuses, 429)).toBe(statuses.length);
    expect(longestMs).toBeLessThan(3_000);
    // A budget may be lost once, when its store is: no limit is lost for longer than its window.
    const most = STEADY_CAPACITY * 2 + STEADY_PER_SECOND * seconds;
    expect(count(statuses, 200)).toBeLessThanOrEqual(most);
    // Each process goes by its half meanwhile.
    expect(count(statuses, 200)).toBeGreaterThanOrEqual((STEADY_PER_SECOND * seconds) / 2);
    expect(count(statuses, 429)).toBeGreaterThan(0);
  }

  it('fail no request while it is killed and started anew, and keep to their limits', async () => {
    const answers = await outage(
      () => redis.stop(),
      async () => {
        redis = await startRedisServer(port);
      },
    );
    expectNothingLost(answers);
  });

  it('fail no request while it stands still, and keep to their limits', async () => {
    const signal = (name: 'SIGSTOP' | 'SIGCONT') => () => {
      process.kill(redis.pid ?? 0, name);
    };
    expectNothingLost(await outage(signal('SIGSTOP'), signal('SIGCONT')));
  });

  it('says so in the log', () => {
    const { lines } = instances.a.log;
    const said = lines.join('\n');
    expect(said).toContain('The store of rate limits is away');
    expect(said).toContain('The store of rate limits answers again');
  });
});
