import { afterEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/core';
import { TcpProxy } from '../../libs/jobs/src/testing/tcp-proxy.js';
import type { Take } from '../../libs/resilience/src/rate-limit/gcra/held-bucket.js';
import { RatePolicy } from '../../libs/resilience/src/rate-limit/gcra/rate-policy.js';
import { StoreGate } from '../../libs/resilience/src/rate-limit/limiter/store-gate.js';
import { PostgresRateLimitStore } from '../../libs/resilience/src/rate-limit/store/postgres.rate-limit-store.js';
import type { RateLimitStore } from '../../libs/resilience/src/rate-limit/store/rate-limit-store.js';
import { RedisRateLimitStore } from '../../libs/resilience/src/rate-limit/store/redis.rate-limit-store.js';
import { cloneTemplate, testRedisUrl } from '../support/database.js';

const one: Take = {
  key: 'a',
  policy: new RatePolicy({
    name: 'lost',
    by: 'user',
    capacity: 10,
    refill: 1,
    periodMs: 3_600_000,
  }),
  need: 1,
  want: 0,
  part: 64,
  settledEpoch: 0,
  settled: 0,
  returned: 0,
  debt: 0,
};
const onError = (): void => undefined;

interface Server {
  readonly url: string;
  readonly open: (url: string) => RateLimitStore;
  readonly drop: () => Promise<void>;
}

const servers: Record<string, () => Promise<Server>> = {
  Redis: async () => ({
    url: testRedisUrl(),
    open: (url) => new RedisRateLimitStore({ url, prefix: `lost-${process.pid}`, onError }),
    drop: () => Promise.resolve(),
  }),
  PostgreSQL: async () => ({
    ...(await cloneTemplate()),
    open: (url) => new PostgresRateLimitStore({ url, onError }),
  }),
};

describe.each(Object.keys(servers))('a connection to %s that is lost without a word', (name) => {
  const closing: (() => Promise<void>)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0).toReversed()) await close();
  });

  it('is given up for another, over which the processes share again', async () => {
    const server = (await servers[name]?.()) as Server;
    closing.push(server.drop);
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.cut());
    const clock = new SystemClock();
    const store = server.open(proxy.url);
    const gate = new StoreGate({ store, clock, timeoutMs: () => 250, pauseMs: () => 50 });
    closing.push(() => gate.close());
    await gate.open();
    expect(await gate.take(one)).toMatchObject({ granted: 1, available: 9 });
    proxy.lose();
    expect([await gate.take(one), gate.state]).toEqual([undefined, 'local']);
    // Many times what it takes; what is lost in a network would be noticed in minutes otherwise.
    for (let attempt = 0; attempt < 1_000 && gate.isAway(); attempt += 1) await sleep(10);
    expect(await gate.take(one)).toMatchObject({ granted: 1, available: 8 });
  });

  it('leaves nothing waiting behind it', async () => {
    const server = (await servers[name]?.()) as Server;
    closing.push(server.drop);
    const proxy = await TcpProxy.start(server.url);
    closing.push(() => proxy.cut());
    const store = server.open(proxy.url);
    closing.push(() => store.close());
    await store.probe();
    proxy.lose();
    const asked = [1, 2, 3].map(() => store.take([{ ...one, key: 'b' }]));
    store.reset();
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
  });
});
