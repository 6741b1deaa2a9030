import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SystemClock } from '#libs/core';
import { createContext, runWithContext } from '#libs/logging';
import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { toDatabaseError } from '../errors/database-error.js';
import { PlatformPool } from '../pool/platform-pool.js';

let database: TestDatabase;
let dataSource: DataSource;
let pool: PlatformPool;

beforeAll(async () => {
  database = await createTestDatabase();
  ({ dataSource } = database);
  await dataSource.query('CREATE TABLE visit (id int PRIMARY KEY)');
});
afterAll(() => database.close());
beforeEach(() => {
  pool = new PlatformPool(
    { connectionString: database.url, max: 2, application_name: 'deadline-test' },
    { clock: new SystemClock(), maxWaiting: 100, prepared: undefined },
  );
});
afterEach(() => pool.end());

/** Runs `work` for a caller who waits for so long. */
const within = <Result>(ms: number, work: () => Promise<Result>): Promise<Result> =>
  runWithContext(createContext({ deadlineMs: performance.now() + ms }), work);

const failureOf = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => undefined,
    (error: unknown) => error,
  );

const STOPPED = { code: 'DEADLINE_EXCEEDED', kind: 'timeout' };

async function running(): Promise<number> {
  const [row] = await dataSource.query<{ count: number }[]>(
    `SELECT count(*)::int AS count FROM pg_stat_activity
     WHERE application_name = 'deadline-test' AND state = 'active'`,
  );
  return row?.count ?? 0;
}

describe('the deadline of a request', () => {
  it('cancels its statement on the server, and leaves the connection usable', async () => {
    const startedMs = performance.now();
    const client = await pool.connect();
    const failure = await within(100, () => failureOf(client.query('SELECT pg_sleep(30)')));
    expect(failure).toMatchObject(STOPPED);
    expect(performance.now() - startedMs).toBeLessThan(15_000);
    expect(await running()).toBe(0);
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }]);
    client.release();
  });

  it('needs no connection for that, when all are taken', async () => {
    const all = Array.from({ length: 6 }, () =>
      within(100, () => failureOf(pool.query('SELECT pg_sleep(30)'))),
    );
    for (const failure of await Promise.all(all)) expect(failure).toMatchObject(STOPPED);
    expect(await running()).toBe(0);
  });

  it('ends the wait for a connection, which others get all the same', async () => {
    const held = await Promise.all([pool.connect(), pool.connect()]);
    expect(await within(50, () => failureOf(pool.connect()))).toMatchObject(STOPPED);
    const waiting = pool.connect();
    for (const client of held) client.release();
    (await waiting).release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(pool).toMatchObject({ idleCount: 2, waitingCount: 0 });
  });

  it('lets nothing begin after it', async () => {
    const client = await pool.connect();
    expect(await within(0, () => failureOf(client.query('SELECT 1')))).toMatchObject(STOPPED);
    expect(await within(0, () => failureOf(pool.connect()))).toMatchObject(STOPPED);
    client.release();
  });

  it('does not keep a transaction from its end', async () => {
    const client = await pool.connect();
    await client.query('BEGIN');
    await client.query('INSERT INTO visit VALUES (1)');
    const inTime = async (text: string): Promise<unknown> =>
      within(0, () => failureOf(client.query(text)));
    expect(await inTime('INSERT INTO visit VALUES (2)')).toMatchObject(STOPPED);
    expect(await inTime('COMMIT')).toBeUndefined();
    client.release();
    expect(await dataSource.query('SELECT id FROM visit')).toEqual([{ id: 1 }]);
  });

  it('rolls back a transaction of TypeORM, and is known through its errors', async () => {
    const failure = await within(150, () =>
      failureOf(
        dataSource.transaction(async (manager) => {
          await manager.query('INSERT INTO visit VALUES (3)');
          await manager.query('SELECT pg_sleep(30)');
        }),
      ),
    );
    expect(toDatabaseError(failure)).toMatchObject(STOPPED);
    expect(await dataSource.query('SELECT id FROM visit WHERE id = 3')).toEqual([]);
  });

  it('never hits who has the connection next', async () => {
    const client = await pool.connect();
    for (let round = 0; round < 100; round += 1) {
      // They end about when they are cancelled.
      const bound = within(10, () => failureOf(client.query('SELECT pg_sleep(0.0095)')));
      const next = bound.then(() => failureOf(client.query('SELECT pg_sleep(0.001)')));
      expect(await next).toBeUndefined();
    }
    client.release();
  });

  it('binds those alone who ask in its time, whoever had the connection before', async () => {
    pool.resize(1);
    const bound = within(50, () => failureOf(pool.query('SELECT pg_sleep(30)')));
    const unbound = Array.from({ length: 3 }, () => pool.query('SELECT pg_sleep(0.02), 1 AS one'));
    expect(await bound).toMatchObject(STOPPED);
    for (const { rows } of await Promise.all(unbound)) expect(rows).toMatchObject([{ one: 1 }]);
  });

  it('leaves statements alone that end in time, and those of nobody', async () => {
    const clients: PoolClient[] = [];
    await within(5_000, async () => {
      for (let count = 0; count < 50; count += 1) await pool.query('SELECT 1');
      clients.push(await pool.connect());
    });
    for (const client of clients) client.release();
    const { rows } = await pool.query('SELECT pg_sleep(0.05), 1 AS one');
    expect(rows).toMatchObject([{ one: 1 }]);
  });
});
