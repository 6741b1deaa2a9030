import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setImmediate } from 'node:timers/promises';
import { ManualClock, SystemClock } from '#libs/core';
import type { PoolClient } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { PlatformPool } from '../pool/platform-pool.js';
import Cursor from 'pg-cursor';
import type { PreparedLimits } from './connection-statements.js';
import { type StatementCall, type StatementEnd, StatementObserver } from './statement-observer.js';

let database: TestDatabase;
const pools: PlatformPool[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
  await database.dataSource.query(`CREATE TABLE pet (id int PRIMARY KEY, name text NOT NULL);
    INSERT INTO pet SELECT n, 'pet ' || n FROM generate_series(1, 100) n`);
});
afterAll(() => database.close());
afterEach(async () => {
  await Promise.all(pools.splice(0).map((pool) => pool.end()));
});

/** One connection, so that uses add up. */
async function connect(
  limits: Partial<PreparedLimits> = {},
  clock = new SystemClock(),
): Promise<{ pool: PlatformPool; client: PoolClient; prepared: () => Promise<string[]> }> {
  const pool = new PlatformPool(
    { connectionString: database.url, max: 2, connectionTimeoutMillis: 5_000 },
    { clock, maxWaiting: 10, prepared: { afterUses: 2, perConnection: 100, ...limits } },
  );
  pools.push(pool);
  const client = await pool.connect();
  const release = client.release.bind(client);
  const end = pool.end.bind(pool);
  pool.end = () => {
    release();
    return end();
  };
  return {
    pool,
    client,
    async prepared() {
      const { rows } = await client.query<{ statement: string }>({
        name: 'what_is_prepared',
        text: `SELECT statement FROM pg_prepared_statements WHERE name LIKE 'p\\_%' ORDER BY prepare_time`,
      });
      return rows.map(({ statement }) => statement);
    },
  };
}

const BY_ID = 'SELECT name FROM pet WHERE id = $1';

describe('a statement', () => {
  it('is prepared after a few uses on the connection, and gives the same', async () => {
    const { client, prepared } = await connect();
    for (const id of [1, 2]) await client.query(BY_ID, [id]);
    expect(await prepared()).toEqual([]);
    const { rows } = await client.query(BY_ID, [3]);
    expect(rows).toEqual([{ name: 'pet 3' }]);
    expect(await prepared()).toEqual([BY_ID]);
    expect((await client.query({ text: BY_ID, values: [4], rowMode: 'array' })).rows).toEqual([
      ['pet 4'],
    ]);
  });

  it('is prepared for callers with a callback too', async () => {
    const { pool, client, prepared } = await connect({ afterUses: 0 });
    const rows = await new Promise((resolve, reject) => {
      client.query(BY_ID, [5], (error, result) => (error ? reject(error) : resolve(result.rows)));
    });
    expect(rows).toEqual([{ name: 'pet 5' }]);
    expect(await prepared()).toEqual([BY_ID]);
    expect((await pool.query(BY_ID, [6])).rows).toEqual([{ name: 'pet 6' }]);
  });

  it.each([
    ['a list of varying length', 'SELECT * FROM pet WHERE id IN ($1, $2)', [1, 2]],
    ['several rows', 'INSERT INTO pet VALUES ($1, $2), ($3, $4)', [901, 'a', 902, 'b']],
    ['several statements', 'SELECT 1; SELECT 2', undefined],
    ['DDL', 'CREATE TABLE IF NOT EXISTS other (id int)', undefined],
    ['a setting', 'SET search_path TO public', undefined],
  ])('is not prepared when it is or has %s', async (_, text, values) => {
    const { client, prepared } = await connect({ afterUses: 0 });
    await client.query(text, values);
    expect(await prepared()).toEqual([]);
  });

  it('keeps the name that its author gave it', async () => {
    const { client, prepared } = await connect({ afterUses: 0 });
    await client.query({ name: 'mine', text: BY_ID, values: [1] });
    expect(await prepared()).toEqual([]);
  });

  it('makes room for others when the connection has enough', async () => {
    const { client, prepared } = await connect({ afterUses: 0, perConnection: 3 });
    const texts = [1, 2, 3, 4, 5].map((n) => `SELECT ${n} AS n, name FROM pet WHERE id = $1`);
    for (const text of texts) await client.query(text, [1]);
    expect(await prepared()).toEqual(texts.slice(2));
    expect((await client.query(texts[0] as string, [2])).rows).toEqual([{ n: 1, name: 'pet 2' }]);
    expect(await prepared()).toEqual([texts[3], texts[4], texts[0]]);
  });

  it('reports what fails as itself, with the place of the caller', async () => {
    const { client } = await connect({ afterUses: 0 });
    const insert = 'INSERT INTO pet VALUES ($1, $2)';
    const failing = async function theCaller(): Promise<void> {
      await client.query(insert, [1, 'again']);
    };
    await expect(failing()).rejects.toMatchObject({
      code: '23505',
      stack: expect.stringContaining('theCaller'),
    });
    await expect(client.query(insert, [1])).rejects.toMatchObject({ code: '08P01' });
    expect((await client.query(BY_ID, [1])).rows).toEqual([{ name: 'pet 1' }]);
  });
});

describe('a name that fails', () => {
  it('is given up for one execution when a table has changed', async () => {
    const { client } = await connect({ afterUses: 0 });
    const all = 'SELECT * FROM pet WHERE id = $1';
    await client.query(all, [1]);
    await database.dataSource.query('ALTER TABLE pet ADD COLUMN IF NOT EXISTS age int');
    const { rows } = await client.query(all, [1]);
    expect(rows).toEqual([{ id: 1, name: 'pet 1', age: null }]);
    expect((await client.query(all, [2])).rows).toHaveLength(1);
  });

  it('is given up when the server has lost it', async () => {
    const { client } = await connect({ afterUses: 0 });
    await client.query(BY_ID, [1]);
    await client.query('DEALLOCATE ALL');
    expect((await client.query(BY_ID, [2])).rows).toEqual([{ name: 'pet 2' }]);
  });

  it('is given up when the server has it already, as behind a pooler', async () => {
    const first = await connect({ afterUses: 0 });
    await first.client.query(BY_ID, [1]);
    const [{ name }] = (
      await first.client.query(`SELECT name FROM pg_prepared_statements WHERE name LIKE 'p\\_%'`)
    ).rows as [{ name: string }];
    const second = await connect({ afterUses: 0 });
    await second.client.query(`PREPARE "${name}" AS SELECT 1`);
    expect((await second.client.query(BY_ID, [2])).rows).toEqual([{ name: 'pet 2' }]);
  });

  it('fails the transaction that it happens in, and not the next one', async () => {
    const { client } = await connect({ afterUses: 0 });
    await client.query(BY_ID, [1]);
    await client.query('DEALLOCATE ALL');
    await client.query('BEGIN');
    await expect(client.query(BY_ID, [1])).rejects.toMatchObject({ code: '26000' });
    await client.query('ROLLBACK');
    await client.query('BEGIN');
    expect((await client.query(BY_ID, [2])).rows).toEqual([{ name: 'pet 2' }]);
    await client.query('COMMIT');
  });
});

describe('a statement whose kept plan is worse', () => {
  it('runs without a name for a while, then is tried again', async () => {
    const clock = new ManualClock();
    const slow = 'SELECT name FROM pet WHERE id = $1 AND pg_sleep($2) IS NOT NULL';
    // The clock moves as far as the statement would take: 1 ms planned anew, 5 ms prepared.
    const { pool, client } = await connect({ afterUses: 1 }, clock);
    const statement = pool.statements.of(slow);
    const isNamed: boolean[] = [];
    const pass = Object.getPrototypeOf(Object.getPrototypeOf(client)).query as (
      ...all: unknown[]
    ) => unknown;
    Object.getPrototypeOf(Object.getPrototypeOf(client)).query = function timed(
      this: unknown,
      config: { name?: string; text?: string },
      ...rest: unknown[]
    ) {
      if (config.text === slow) {
        isNamed.push(config.name !== undefined);
        clock.advance(config.name === undefined ? 1 : 5);
      }
      return pass.call(this, config, ...rest);
    };
    try {
      for (let n = 0; n < 3_000 && statement.unnamedUntilMs === 0; n += 1) {
        await client.query(slow, [1, 0]);
      }
      expect(statement.unnamedUntilMs).toBeGreaterThan(clock.nowMs());
      expect(pool.statements.optedOut(clock.nowMs())).toEqual([statement]);
      isNamed.length = 0;
      for (let n = 0; n < 20; n += 1) await client.query(slow, [1, 0]);
      expect(isNamed).toEqual(Array.from({ length: 20 }, () => false));
      clock.advance(600_001);
      isNamed.length = 0;
      await client.query(slow, [1, 0]);
      await client.query(slow, [1, 0]);
      expect(isNamed).toContain(true);
    } finally {
      Object.getPrototypeOf(Object.getPrototypeOf(client)).query = pass;
    }
  });
});

describe('an observer', () => {
  class Recorder extends StatementObserver {
    readonly seen: unknown[] = [];
    constructor(private readonly wait?: Promise<void>) {
      super();
    }

    started({ text, values, transactionStatus }: StatementCall): StatementEnd {
      return ({ rowCount, command, error }) => {
        this.seen.push({ text, values, transactionStatus, rowCount, command, code: error?.code });
        return this.wait;
      };
    }
  }

  it('sees every statement and how it ended, until it goes', async () => {
    const { pool, client } = await connect();
    const recorder = new Recorder();
    const leave = pool.observe(recorder);
    await client.query('BEGIN');
    await client.query(BY_ID, [1]);
    await client.query({ name: 'own', text: BY_ID, values: [2] });
    await expect(client.query('SELECT 1 / $1::int', [0])).rejects.toMatchObject({ code: '22012' });
    // The server tells the status after the error, at times in a packet of its own.
    while (client.getTransactionStatus() !== 'E') await setImmediate();
    await client.query('ROLLBACK');
    leave();
    await client.query(BY_ID, [3]);
    const row = { rowCount: 1, command: 'SELECT', transactionStatus: 'T' };
    expect(recorder.seen).toMatchObject([
      { text: 'BEGIN', values: [], transactionStatus: 'I', command: 'BEGIN' },
      { text: BY_ID, values: [1], ...row },
      { text: BY_ID, values: [2], ...row },
      { text: 'SELECT 1 / $1::int', code: '22012' },
      { text: 'ROLLBACK', transactionStatus: 'E', command: 'ROLLBACK' },
    ]);
  });

  it('may keep the caller waiting', async () => {
    const { pool, client } = await connect();
    let open = (): void => undefined;
    pool.observe(new Recorder(new Promise((resolve) => (open = resolve))));
    let isAnswered = false;
    const answer = client.query(BY_ID, [1]).then(() => (isAnswered = true));
    await database.dataSource.query('SELECT 1');
    expect(isAnswered).toBe(false);
    open();
    await answer;
  });

  it('costs nothing to cursors, which it does not see', async () => {
    const { pool, client } = await connect();
    const recorder = new Recorder();
    pool.observe(recorder);
    const cursor = client.query(new Cursor('SELECT id FROM pet ORDER BY id'));
    expect(await cursor.read(2)).toEqual([{ id: 1 }, { id: 2 }]);
    await cursor.close();
    expect(recorder.seen).toEqual([]);
  });
});
