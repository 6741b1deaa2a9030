import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { poolOf } from '../data-source.js';
import { streamRows } from './row-stream.js';

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.close());

const numbers = (count: number, options = {}) =>
  streamRows<{ n: number }>(
    database.dataSource,
    'SELECT n FROM generate_series(1, $1::int) n',
    [count],
    options,
  );

/** What the server does for this database beside the question itself. */
async function running(): Promise<number> {
  const rows = await database.dataSource.query<{ text: string }[]>(
    `SELECT query AS text FROM pg_stat_activity
     WHERE state = 'active' AND pid <> pg_backend_pid() AND datname = current_database()`,
  );
  return rows.length;
}
const isAtRest = (): boolean => {
  const pool = poolOf(database.dataSource);
  return pool?.totalCount === pool?.idleCount;
};

describe('a stream of rows', () => {
  it('gives all rows in their order, and its connection back', async () => {
    let sum = 0;
    for await (const { n } of await numbers(10_000, { batchRows: 300 })) sum += n;
    expect(sum).toBe(50_005_000);
    expect(isAtRest()).toBe(true);
  });

  it('ends, and frees its connection, when the reader stops', async () => {
    for await (const { n } of await numbers(1_000_000)) if (n === 5) break;
    expect(isAtRest()).toBe(true);
  });

  it('cancels the query on the server when the signal aborts', async () => {
    const stop = new AbortController();
    const rows = await streamRows(
      database.dataSource,
      'SELECT pg_sleep(60) FROM generate_series(1, 10)',
      [],
      { signal: stop.signal },
    );
    const read = rows.next();
    while ((await running()) === 0) await sleep(5);
    stop.abort();
    expect(await read).toEqual({ done: true, value: undefined });
    while (!isAtRest()) await sleep(5);
    expect(await running()).toBe(0);
  });

  it('throws what the query does wrong', async () => {
    const rows = await streamRows(
      database.dataSource,
      'SELECT 1 / (n - 2) FROM generate_series(1, 3) n',
    );
    await expect(rows.next()).rejects.toMatchObject({ code: '22012' });
    expect(isAtRest()).toBe(true);
  });
});
