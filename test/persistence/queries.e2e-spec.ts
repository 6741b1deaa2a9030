import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import { createContext, runWithContext } from '#libs/logging';
import { startTestApi, type TestApi } from '../support/app.js';

let api: TestApi;
let token: string;

beforeAll(async () => {
  api = await startTestApi({
    PANTHEON_DATABASE_SLOW_QUERY_MS: '50',
    PANTHEON_DATABASE_N_PLUS_ONE_SHARE: '1',
  });
  token = await api.login();
  await sql(`CREATE TABLE author (id int PRIMARY KEY, name text, secret_word text);
    CREATE TABLE book (id int PRIMARY KEY, author_id int, title text);
    INSERT INTO author SELECT 1000 + n, 'author ' || n FROM generate_series(1, 100) n;
    INSERT INTO book SELECT n, 1000 + n % 100, 'book ' || n FROM generate_series(1, 1000) n`);
});
afterAll(() => api.close());
afterEach(() => api.request('DELETE', '/v1/perf/queries', { token }));

const sql = (text: string, values?: unknown[]) => api.platform.dataSource.query(text, values);
const inRequest = <Result>(route: string, work: () => Promise<Result>): Promise<Result> =>
  runWithContext(createContext({ route, requestId: `request of ${route}` }), work);
const get = async (path: string) => (await api.request('GET', path, { token })).body;

async function slowLines(count: number) {
  for (;;) {
    const lines = api.log.lines
      .map((line) => JSON.parse(line) as Record<string, unknown>)
      .filter(({ msg, route }) => msg === 'A query was slow' && route === '/v1/authors');
    if (lines.length >= count) return lines;
    await sleep(10);
  }
}

async function slowQuery(fingerprint: unknown) {
  const { items } = await get('/v1/perf/queries/slow');
  return items.find((item: { fingerprint: string }) => item.fingerprint === fingerprint);
}

describe('a slow query', () => {
  it('is answered, logged once, and told with its plan, without anything secret', async () => {
    const text = `SELECT pg_sleep(0.08), name FROM author WHERE secret_word = $1 OR id = $2 LIMIT 1`;
    const rows = await inRequest('/v1/authors', () => sql(text, ['hush', 1007]));
    expect(rows).toHaveLength(1);
    const [line, ...others] = await slowLines(1);
    expect(others).toEqual([]);
    expect(line).toMatchObject({
      route: '/v1/authors',
      requestId: 'request of /v1/authors',
      parameters: ['***', 1007],
      failed: false,
    });
    let slow = await slowQuery(line?.['fingerprint']);
    while (slow.worst.plan === null) {
      await sleep(10);
      slow = await slowQuery(line?.['fingerprint']);
    }
    expect(slow).toMatchObject({
      calls: 1,
      slow: 1,
      routes: { '/v1/authors': 1 },
      worst: { route: '/v1/authors', parameters: ['***', 1007] },
    });
    expect(slow.query).toContain('pg_sleep($3)');
    expect(JSON.stringify(slow.worst.plan)).toContain('author');
    expect(JSON.stringify([slow, line])).not.toContain('hush');
  });
});

describe('the queries of a process', () => {
  it('are added up by fingerprint', async () => {
    for (const list of ['$1', '$1, $2', '$1, $2, $3']) {
      const values = list.split(',').map((_, index) => index);
      await sql(`SELECT title FROM book WHERE id IN (${list})`, values);
    }
    const { items } = await get('/v1/perf/queries?sort=calls&limit=1000');
    const books = items.filter(({ query }: { query: string }) => query.includes('FROM book'));
    expect(books).toMatchObject([{ calls: 3, rows: 3, errors: 0 }]);
    expect(books[0].meanMs).toBeCloseTo(books[0].totalMs / 3, 6);
  });

  it('are told in the order that is asked for, and to administrators only', async () => {
    await Promise.all([sql('SELECT 1 AS a'), sql('SELECT pg_sleep(0.02)')]);
    const { items } = await get('/v1/perf/queries?sort=max&limit=1000');
    const longest: number[] = items.map(({ maxMs }: { maxMs: number }) => maxMs);
    expect(longest).toEqual(longest.toSorted((x, y) => y - x));
    expect(items[0].maxMs).toBeGreaterThanOrEqual(20);
    expect((await get('/v1/perf/queries?sort=max&limit=1')).items).toHaveLength(1);
    expect((await api.request('GET', '/v1/perf/queries?sort=worst', { token })).status).toBe(400);
    const user = await api.register('queries@test.example');
    expect((await api.request('GET', '/v1/perf/queries', { token: user })).status).toBe(403);
  });
});

describe('a loop of queries', () => {
  const booksOf = (id: number) => sql('SELECT title FROM book WHERE author_id = $1', [id]);

  it('that follows the rows of an earlier result is found, with the place and the remedy', async () => {
    await inRequest('/v1/loop', async () => {
      const authors = await sql('SELECT id FROM author ORDER BY id LIMIT 10');
      for (const { id } of authors as { id: number }[]) await booksOf(id);
    });
    const { items } = await get('/v1/perf/queries/n-plus-one');
    expect(items).toMatchObject([
      {
        route: '/v1/loop',
        query: 'SELECT title FROM book WHERE author_id = $1',
        source: 'SELECT id FROM author ORDER BY id LIMIT 10',
        relation: 'book (author_id) by author (id)',
        site: expect.stringContaining('queries.e2e-spec'),
      },
    ]);
    const { body } = await api.request('GET', '/metrics', { token });
    expect(body).toContain('db_n_plus_one_total{route="/v1/loop"} 1');
  });

  it('is no loop when all rows are asked for at once, or different queries run side by side', async () => {
    await inRequest('/v1/joined', async () => {
      const authors = (await sql('SELECT id FROM author LIMIT 10')) as { id: number }[];
      await sql('SELECT title FROM book WHERE author_id = ANY($1)', [authors.map(({ id }) => id)]);
      await Promise.all(
        authors.map(({ id }, index) => sql(`SELECT ${index} AS n FROM book WHERE id = $1`, [id])),
      );
    });
    await inRequest('/v1/unrelated', async () => {
      await sql('SELECT name FROM author LIMIT 10');
      for (let n = 0; n < 10; n += 1) await sql('SELECT title FROM book WHERE id = $1', [n]);
    });
    for (const id of [1001, 1002, 1003, 1004, 1005, 1006]) {
      await inRequest('/v1/apart', () => booksOf(id));
    }
    expect((await get('/v1/perf/queries/n-plus-one')).items).toEqual([]);
  });
});
