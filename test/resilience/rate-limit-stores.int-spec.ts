import { afterAll, describe, expect, it } from '@jest/globals';
import { Redis } from 'ioredis';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import type { Take } from '../../libs/resilience/src/rate-limit/gcra/held-bucket.js';
import { RatePolicy } from '../../libs/resilience/src/rate-limit/gcra/rate-policy.js';
import { SystemClock } from '#libs/core';
import { StoreGate } from '../../libs/resilience/src/rate-limit/limiter/store-gate.js';
import { PostgresRateLimitStore } from '../../libs/resilience/src/rate-limit/store/postgres.rate-limit-store.js';
import { RedisRateLimitStore } from '../../libs/resilience/src/rate-limit/store/redis.rate-limit-store.js';
import { rateLimitStoreContract } from '../../libs/resilience/src/rate-limit/testing/rate-limit-store.contract.js';
import { cloneTemplate, testRedisUrl } from '../support/database.js';
import { freePort, startRedisServer } from '../support/redis-server.js';

const fail = (error: unknown): never => {
  throw error;
};

rateLimitStoreContract('RedisRateLimitStore', async () => {
  const options = { url: testRedisUrl(), prefix: `limits-${process.pid}`, onError: fail };
  const [store, other] = [new RedisRateLimitStore(options), new RedisRateLimitStore(options)];
  return {
    store,
    other,
    pass: (ms) => sleep(ms),
    async close() {
      await store.close();
      await other.close();
    },
  };
});

rateLimitStoreContract('PostgresRateLimitStore', async () => {
  const { url, drop } = await cloneTemplate();
  const options = { url, onError: fail };
  const [store, other] = [new PostgresRateLimitStore(options), new PostgresRateLimitStore(options)];
  return {
    store,
    other,
    pass: (ms) => sleep(ms),
    async close() {
      await store.close();
      await other.close();
      await drop();
    },
  };
});

const slow = { name: 'lost', by: 'user', capacity: 10, refill: 1, periodMs: 3_600_000 } as const;
const policy = new RatePolicy(slow);
const one: Take = {
  key: 'a',
  policy,
  need: 1,
  want: 0,
  part: 64,
  settledEpoch: 0,
  settled: 0,
  returned: 0,
  debt: 0,
};

describe('PostgresRateLimitStore', () => {
  const closing: (() => Promise<void>)[] = [];
  afterAll(async () => {
    for (const close of closing.toReversed()) await close();
  });

  it('connects again after its connection was cut, and goes on where it was', async () => {
    const { url, drop } = await cloneTemplate();
    const errors: unknown[] = [];
    const store = new PostgresRateLimitStore({ url, onError: (error) => errors.push(error) });
    const operator = new Client({ connectionString: url });
    closing.push(
      drop,
      () => operator.end(),
      () => store.close(),
    );
    await operator.connect();
    expect(await store.take([one])).toMatchObject([{ granted: 1, available: 9 }]);
    await operator.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
       WHERE application_name = 'pantheon-rate-limit' AND datname = current_database()`,
    );
    while (errors.length === 0) await sleep(5);
    await store.probe();
    expect(await store.take([one])).toMatchObject([{ granted: 1, available: 8 }]);
  });

  it('leaves nothing behind that does not expire', async () => {
    const { url, drop } = await cloneTemplate();
    const store = new PostgresRateLimitStore({ url, onError: fail });
    const operator = new Client({ connectionString: url });
    closing.push(
      drop,
      () => operator.end(),
      () => store.close(),
    );
    await operator.connect();
    const brief = new RatePolicy({ ...slow, name: 'brief', periodMs: 1_000 });
    await store.take([one, { ...one, policy: brief }]);
    const { rows } = await operator.query<{ bucket: string; minutes: number }>(
      `SELECT bucket, extract(epoch FROM expires_at - now())::int / 60 AS minutes
       FROM rate_limit ORDER BY bucket`,
    );
    expect(rows.map(({ bucket }) => bucket)).toEqual(['brief/1000/a', 'lost/3600000/a']);
    expect(rows[0]?.minutes).toBeLessThanOrEqual(2);
    expect(rows[1]?.minutes).toBeGreaterThanOrEqual(60);
    expect(rows[1]?.minutes).toBeLessThanOrEqual(62);
  });
});

describe('RedisRateLimitStore', () => {
  it('gives the server its script again when it has forgotten it', async () => {
    const prefix = `limits-again-${process.pid}`;
    const store = new RedisRateLimitStore({ url: testRedisUrl(), prefix, onError: fail });
    const operator = new Redis(testRedisUrl());
    try {
      await store.probe();
      expect(await store.take([one])).toMatchObject([{ granted: 1, available: 9 }]);
      await operator.script('FLUSH');
      expect(await store.take([one])).toMatchObject([{ granted: 1, available: 8 }]);
      const key = `${prefix}:rate:{lost/3600000/a}`;
      // Two requests, which come back within two hours.
      expect(await operator.pttl(key)).toBeGreaterThan(7_190_000);
      expect(await operator.pttl(key)).toBeLessThanOrEqual(7_201_000);
    } finally {
      operator.disconnect();
      await store.close();
    }
  });

  it('is found when it comes up after the process, and not waited for until then', async () => {
    const port = await freePort();
    const url = `redis://127.0.0.1:${port}`;
    const store = new RedisRateLimitStore({ url, prefix: 'late', onError: () => undefined });
    const clock = new SystemClock();
    const gate = new StoreGate({ store, clock, timeoutMs: () => 500, pauseMs: () => 20 });
    await gate.open();
    expect([gate.isAway(), await gate.take(one)]).toEqual([true, undefined]);
    const server = await startRedisServer(port);
    try {
      for (let attempt = 0; attempt < 500 && gate.isAway(); attempt += 1) await sleep(10);
      expect(await gate.take(one)).toMatchObject({ granted: 1, available: 9 });
    } finally {
      await gate.close();
      await server.stop();
    }
  });
});
