import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readFile } from 'node:fs/promises';
import { transform } from '@swc/core';
import { CACHE_KINDS, CachedQueryResultStore, CacheHub, type CacheKind, Caches } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { SystemClock } from '#libs/core';
import {
  createDataSource,
  EntityLoader,
  persistenceSettings,
  poolOf,
  QueryCache,
} from '#libs/persistence';
import { Column, type DataSource, Entity, PrimaryColumn } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { fencedBlocks } from './markdown.js';

@Entity('example_author')
class Author {
  @PrimaryColumn('int')
  id!: number;
  @Column('text')
  name!: string;
}

@Entity('example_book')
class Book {
  @PrimaryColumn('int')
  id!: number;
  @Column('int')
  authorId!: number;
  @Column('text')
  shelf!: string;
}

let database: TestDatabase;
let dataSource: DataSource;
const hub = new CacheHub();
const budgets = Object.fromEntries(CACHE_KINDS.map((kind) => [kind, 1e6]));
const caches = new Caches(hub, budgets as Record<CacheKind, number>);

beforeAll(async () => {
  database = await createTestDatabase();
  const settings = new SettingsStore([persistenceSettings]).get(persistenceSettings);
  const parts = { entities: [Author, Book], migrations: [] };
  dataSource = createDataSource(database.url, settings, parts);
  await dataSource.initialize();
  await dataSource.query(`CREATE TABLE example_author (id int PRIMARY KEY, name text);
    CREATE TABLE example_book (id int PRIMARY KEY, author_id int, shelf text);
    INSERT INTO example_author VALUES (1, 'Ada'), (2, 'Grace');
    INSERT INTO example_book VALUES (1, 1, 'A'), (2, 2, 'A'), (3, 1, 'B')`);
});
afterAll(async () => {
  await dataSource.destroy();
  await hub.close();
  await database.close();
});

/** Runs the example of a document that contains `part`, and gives what it calls `result`. */
async function run(
  path: string,
  part: string,
  scope: Readonly<Record<string, unknown>>,
  result: string,
): Promise<unknown> {
  const blocks = fencedBlocks(await readFile(path, 'utf8'));
  const example = blocks.find(({ language, text }) => language === 'ts' && text.includes(part));
  if (example === undefined) throw new Error(`${path} has no example with "${part}".`);
  const source = `async function example(${Object.keys(scope).join(', ')}) { ${example.text}\nreturn ${result}; }`;
  const { code } = await transform(source, {
    jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
  });
  // eslint-disable-next-line typescript/no-implied-eval -- the documents are ours
  const runExample = new Function(`${code}; return example;`)() as (
    ...values: unknown[]
  ) => Promise<unknown>;
  return runExample(...Object.values(scope));
}

describe('the examples of the documents', () => {
  it('keep what was loaded until a tag is invalidated', async () => {
    let loads = 0;
    const scope = {
      caches,
      id: '7',
      customer: 'c1',
      loadOrder: (id: string) => Promise.resolve({ id, load: (loads += 1) }),
    };
    const example = () => run('docs/caching.md', 'caches.open', scope, 'order');
    expect(await example()).toEqual({ id: '7', load: 1 });
    // It ends by invalidating the tag of what it loaded.
    expect(await example()).toEqual({ id: '7', load: 2 });
  });

  it('load the authors of books with one query', async () => {
    let queries = 0;
    const leave = poolOf(dataSource)?.observe({
      started: () => {
        queries += 1;
        return undefined;
      },
    });
    const books = [{ authorId: 1 }, { authorId: 2 }, { authorId: 1 }];
    const scope = { books, loader: new EntityLoader(dataSource), Author };
    const authors = await run('docs/database.md', 'loader.load', scope, 'authors');
    leave?.();
    expect(authors).toMatchObject([{ name: 'Ada' }, { name: 'Grace' }, { name: 'Ada' }]);
    expect(queries).toBe(1);
  });

  it('answer a repeated query from the cache', async () => {
    const pool = poolOf(dataSource);
    if (pool === undefined) throw new Error('not connected');
    const queryCache = new QueryCache({
      store: new CachedQueryResultStore(caches),
      pool,
      clock: new SystemClock(),
      isOn: () => true,
      ttlMs: () => 60_000,
    });
    const scope = { queryCache, repository: dataSource.getRepository(Book), shelf: 'A' };
    const example = () => run('docs/database.md', 'queryCache.cached', scope, 'books');
    const first = await example();
    expect(first).toMatchObject([{ id: 1 }, { id: 2 }]);
    await database.dataSource.query('DELETE FROM example_book WHERE id = 2');
    expect(await example()).toEqual(first);
    await dataSource.query('DELETE FROM example_book WHERE id = 1');
    expect(await example()).toEqual([]);
    queryCache.close();
  });
});
