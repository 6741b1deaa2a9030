import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import { poolOf, QueryCache } from '#libs/persistence';
import { startTestApi, type TestApi } from '../support/app.js';
import { testRedisUrl } from '../support/database.js';

interface Book {
  readonly id: number;
  readonly title: string;
}

describe.each(['PostgreSQL', 'Redis'])('the query cache, with messages by %s', (backplane) => {
  let first: TestApi;
  let second: TestApi;
  let outside: Client;

  beforeAll(async () => {
    const settings = {
      PANTHEON_DATABASE_QUERY_CACHE: 'book=60000,author=60000,*=0',
      ...(backplane === 'Redis' ? { REDIS_URL: testRedisUrl() } : {}),
    };
    first = await startTestApi(settings);
    await first.platform.dataSource.query(`
      CREATE TABLE author (id int PRIMARY KEY, name text);
      CREATE TABLE book (id int PRIMARY KEY, author_id int REFERENCES author ON DELETE CASCADE, title text);
      CREATE TABLE other (id int);
      CREATE VIEW titles AS SELECT title FROM book`);
    second = await startTestApi({ ...settings, DATABASE_URL: first.platform.databaseUrl });
    outside = new Client(first.platform.databaseUrl);
    await outside.connect();
  });
  afterAll(async () => {
    await outside.end();
    await second.close();
    await first.close();
  });
  beforeEach(async () => {
    await first.platform.dataSource.query('TRUNCATE author, book, other');
    await first.platform.dataSource.query(`INSERT INTO author VALUES (1, 'Ada'), (2, 'Grace')`);
    await first.platform.dataSource.query(`INSERT INTO book VALUES (1, 1, 'one'), (2, 2, 'two')`);
  });

  const cached = <Row = Book>(api: TestApi, text: string, values: unknown[] = [], scope = {}) =>
    api.app.get(QueryCache).cached(() => api.platform.dataSource.query<Row[]>(text, values), scope);
  const TITLES = 'SELECT id, title FROM book ORDER BY id';
  /** Changes a row past every watcher, so that a cached result is told from a new one. */
  const secretly = (title: string) =>
    outside.query(`UPDATE book SET title = $1 WHERE id = 1`, [title]);

  it('answers what was asked before, whoever asks, and in the same form', async () => {
    const rows = await cached(first, TITLES);
    await secretly('changed');
    expect(await cached(first, TITLES)).toEqual(rows);
    expect(await cached(first, 'SELECT id,  title\nFROM book ORDER BY id')).not.toEqual([]);
    expect(await first.platform.dataSource.query(TITLES)).toMatchObject([{ title: 'changed' }, {}]);
    expect(await cached(first, TITLES, [], { scope: 'another tenant' })).toMatchObject([
      { title: 'changed' },
      {},
    ]);
  });

  it('runs a query once for callers side by side', async () => {
    let sent = 0;
    const pool = poolOf(first.platform.dataSource);
    const leave = pool?.observe({
      started: ({ text }) => {
        if (text === TITLES) sent += 1;
        return undefined;
      },
    });
    await Promise.all(Array.from({ length: 50 }, () => cached(first, TITLES)));
    leave?.();
    expect(sent).toBe(1);
  });

  it.each([
    [
      'a write',
      (api: TestApi) => api.platform.dataSource.query(`UPDATE book SET title = 'new' WHERE id = 1`),
    ],
    [
      'a transaction of TypeORM',
      (api: TestApi) =>
        api.platform.dataSource.transaction(async (manager) => {
          await manager.query(`UPDATE book SET title = 'new' WHERE id = 1`);
        }),
    ],
    [
      'a write in a WITH',
      (api: TestApi) =>
        api.platform.dataSource.query(
          `WITH done AS (UPDATE book SET title = 'new' WHERE id = 1 RETURNING id) SELECT * FROM done`,
        ),
    ],
  ])('is emptied by %s, in every process, before the writer goes on', async (_, write) => {
    for (const [writer, reader] of [
      [first, second],
      [second, first],
      [first, first],
    ] as const) {
      await first.platform.dataSource.query(`UPDATE book SET title = 'old' WHERE id = 1`);
      expect(await cached(reader, TITLES)).toMatchObject([{ title: 'old' }, {}]);
      await write(writer);
      expect(await cached(reader, TITLES)).toMatchObject([{ title: 'new' }, {}]);
    }
  });

  it('is emptied by what a foreign key takes along, and through views', async () => {
    expect(await cached(second, 'SELECT title FROM titles')).toHaveLength(2);
    await first.platform.dataSource.query('DELETE FROM author WHERE id = 1');
    expect(await cached(second, 'SELECT title FROM titles')).toEqual([{ title: 'two' }]);
  });

  it('keeps nothing of a transaction that is undone, and reads nothing old inside one', async () => {
    await cached(first, TITLES);
    await first.platform.dataSource
      .transaction(async (manager) => {
        await manager.query(`UPDATE book SET title = 'undone' WHERE id = 1`);
        const inside = await first.app.get(QueryCache).cached(() => manager.query<Book[]>(TITLES));
        expect(inside[0]?.title).toBe('undone');
        throw new Error('changed my mind');
      })
      .catch(() => undefined);
    expect(await cached(first, TITLES)).toMatchObject([{ title: 'one' }, { title: 'two' }]);
  });

  it('never answers with what a writer has replaced, however they meet', async () => {
    for (let round = 0; round < 30; round += 1) {
      const title = `round ${round}`;
      const readers = [first, second, first].map((api) => cached(api, TITLES));
      await first.platform.dataSource.query('UPDATE book SET title = $1 WHERE id = 1', [title]);
      const [one] = await cached(second, TITLES);
      expect(one?.title).toBe(title);
      await Promise.all(readers);
      expect((await cached(first, TITLES))[0]?.title).toBe(title);
    }
  });

  it('leaves alone what is not asked for, and what always changes', async () => {
    const counts = async (text: string) => [
      await cached<{ n: string }>(first, text),
      await cached<{ n: string }>(first, text),
    ];
    await outside.query('INSERT INTO other VALUES (1)');
    const [before] = await counts('SELECT count(*) AS n FROM other');
    await outside.query('INSERT INTO other VALUES (2)');
    const [after] = await counts('SELECT count(*) AS n FROM other');
    expect([before?.[0]?.n, after?.[0]?.n]).toEqual(['1', '2']);
    const [a, b] = await counts('SELECT random()::text AS n FROM book LIMIT 1');
    expect(a).not.toEqual(b);
    const insert = `INSERT INTO book VALUES ((SELECT max(id) + 1 FROM book), 2, 'more') RETURNING id`;
    const [x, y] = await counts(insert);
    expect(x).not.toEqual(y);
  });
});
