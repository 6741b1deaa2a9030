import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemClock } from '#libs/core';
import { createContext, runWithContext } from '#libs/logging';
import { Client, type PoolClient } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { toDatabaseError } from '../errors/database-error.js';
import { type PoolEvent, poolEvents } from './pool.events.js';
import { PlatformPool } from './platform-pool.js';

let database: TestDatabase;
let pool: PlatformPool;
const events: PoolEvent[] = [];
let unsubscribe: () => void;

beforeAll(async () => {
  database = await createTestDatabase();
  unsubscribe = poolEvents.subscribe((event) => events.push(event));
});
afterAll(async () => {
  unsubscribe();
  await database.close();
});
afterEach(async () => {
  await pool.end();
  events.length = 0;
});

function open(max: number, maxWaiting = 2_000, connectionTimeoutMillis = 20_000): PlatformPool {
  pool = new PlatformPool(
    { connectionString: database.url, max, connectionTimeoutMillis, application_name: 'pool-test' },
    { clock: new SystemClock(), maxWaiting, prepared: { afterUses: 3, perConnection: 100 } },
  );
  pool.on('error', () => undefined);
  return pool;
}

const take = (): Promise<PoolClient> => pool.connect();

async function connections(): Promise<number> {
  const [row] = await database.dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM pg_stat_activity WHERE application_name = 'pool-test'`,
  );
  return row?.count ?? 0;
}

describe('a pool', () => {
  it('answers a thousand callers over few connections, first come, first served', async () => {
    open(5);
    const order: number[] = [];
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, caller) => {
        const client = await take();
        order.push(caller);
        await client.query('SELECT $1::int AS n', [caller]);
        client.release();
      }),
    );
    // The first five wait for connections of their own to be opened.
    const waited = order.filter((caller) => caller >= 5);
    expect(waited).toEqual(waited.toSorted((a, b) => a - b));
    expect(await connections()).toBeLessThanOrEqual(5);
    expect(pool.monitor.counts).toMatchObject({ acquired: 1_000, timedOut: 0, refused: 0 });
    expect(pool.monitor.counts.created).toBeLessThanOrEqual(5);
    expect(pool.monitor.waitTimes.count).toBe(1_000);
    expect(pool.monitor.demand()).toMatchObject({ peakBusy: 5 });
  });

  it('turns callers away at once when too many wait', async () => {
    open(1, 1);
    const held = await take();
    const waiting = take();
    await expect(take()).rejects.toMatchObject({
      code: 'DATABASE_POOL_EXHAUSTED',
      kind: 'unavailable',
    });
    await expect(pool.query('SELECT 1')).rejects.toMatchObject({ code: 'DATABASE_POOL_EXHAUSTED' });
    held.release();
    (await waiting).release();
    expect(pool.monitor.counts.refused).toBe(2);
    expect(events).toEqual([
      { type: 'refused', waiting: 1 },
      { type: 'refused', waiting: 1 },
    ]);
  });

  it('lets nobody wait longer than the time-out, and tells of it', async () => {
    open(1, 10, 50);
    const held = await take();
    await expect(take()).rejects.toThrow('timeout exceeded when trying to connect');
    held.release();
    (await take()).release();
    expect(pool.monitor.counts).toMatchObject({ timedOut: 1, acquired: 2 });
    expect(events).toEqual([{ type: 'timed-out', waitedMs: expect.any(Number), waiting: 0 }]);
  });

  it('has room for others when those who wait are past their deadlines', async () => {
    open(1, 50);
    const held = await take();
    const within = (ms: number): Promise<PoolClient> =>
      runWithContext(createContext({ deadlineMs: performance.now() + ms }), take);
    const failure = async (ms: number): Promise<unknown> =>
      within(ms).catch((error: unknown) => (error as { code?: string }).code);
    // Again and again, so that more of them stand in the queue than may wait at a time.
    for (let round = 0; round < 60; round += 1) {
      const outcomes = await Promise.all(Array.from({ length: 50 }, () => failure(1)));
      expect(new Set(outcomes)).toEqual(new Set(['DEADLINE_EXCEEDED']));
    }
    const live = within(20_000);
    expect(pool.waitingCount).toBe(1);
    held.release();
    const client = await live;
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();
    expect(pool).toMatchObject({ waitingCount: 0, idleCount: 1 });
  });

  it('closes a connection that comes back inside a transaction, and names who took it', async () => {
    open(2);
    async function forgetsToCommit(): Promise<void> {
      const client = await take();
      await client.query('BEGIN');
      await client.query('CREATE TABLE leaked (id int)');
      client.release();
    }
    await forgetsToCommit();
    expect(events).toEqual([
      {
        type: 'leaked-transaction',
        heldMs: expect.any(Number),
        takenAt: expect.stringContaining('forgetsToCommit'),
      },
    ]);
    expect(pool.monitor.counts.leakedTransactions).toBe(1);
    const { rows } = await pool.query(`SELECT to_regclass('leaked') AS leaked`);
    expect(rows).toEqual([{ leaked: null }]);
  });

  it('loses no connection over ten thousand failing queries', async () => {
    open(4);
    const fail = async (): Promise<void> => {
      const client = await take();
      try {
        await client.query('SELECT 1 / $1::int', [0]);
      } catch {
        // The point of it.
      } finally {
        client.release();
      }
    };
    for (let round = 0; round < 20; round += 1) {
      await Promise.all(Array.from({ length: 500 }, fail));
    }
    expect(pool).toMatchObject({ waitingCount: 0, idleCount: pool.totalCount });
    expect(pool.totalCount).toBeLessThanOrEqual(4);
    expect(await connections()).toBe(pool.totalCount);
    expect(events).toEqual([]);
  });

  it('has a statement that takes too long cancelled on the server, and uses the connection again', async () => {
    pool = new PlatformPool(
      {
        connectionString: database.url,
        max: 1,
        statement_timeout: 50,
        application_name: 'slow-test',
      },
      { clock: new SystemClock(), maxWaiting: 10, prepared: undefined },
    );
    const client = await take();
    const error: unknown = await client
      .query('SELECT pg_sleep(60)')
      .catch((thrown: unknown) => thrown);
    expect(toDatabaseError(error)).toMatchObject({
      code: 'DATABASE_STATEMENT_TIMEOUT',
      kind: 'timeout',
    });
    const running = await database.dataSource.query<unknown[]>(
      `SELECT 1 FROM pg_stat_activity WHERE application_name = 'slow-test' AND state = 'active'`,
    );
    expect(running).toEqual([]);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();
  });

  it('replaces connections that the server ends', async () => {
    open(3);
    const clients = await Promise.all([take(), take(), take()]);
    for (const client of clients) client.release();
    const killer = new Client(database.url);
    await killer.connect();
    await killer.query(
      `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'pool-test'`,
    );
    await killer.end();
    while (pool.totalCount > 0) await sleep(5);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pool.monitor.counts).toMatchObject({ errors: 3, removed: 3 });
  });

  it('grows and shrinks while it is in use', async () => {
    open(1);
    const first = await take();
    pool.resize(3);
    const [second, third] = await Promise.all([take(), take()]);
    expect(pool.totalCount).toBe(3);
    pool.resize(1);
    for (const client of [first, second, third]) client.release();
    while (pool.totalCount > 1) await sleep(5);
    expect((await pool.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    expect(pool.totalCount).toBe(1);
  });
});
