import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { SettingsStore } from '#libs/config';
import { createContext, runWithContext } from '#libs/logging';
import { Column, type DataSource, Entity, PrimaryColumn } from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { createDataSource, poolOf } from '../data-source.js';
import { persistenceSettings } from '../persistence.settings.js';
import { EntityLoader } from './entity-loader.js';

@Entity('loaded_book')
class Book {
  @PrimaryColumn('int')
  id!: number;
  @Column('int')
  authorId!: number;
}

@Entity('loaded_pair')
class Pair {
  @PrimaryColumn('int')
  a!: number;
  @PrimaryColumn('int')
  b!: number;
}

let database: TestDatabase;
let dataSource: DataSource;
let loader: EntityLoader;
let queries = 0;

beforeAll(async () => {
  database = await createTestDatabase();
  const settings = new SettingsStore([persistenceSettings]).get(persistenceSettings);
  dataSource = createDataSource(database.url, settings, { entities: [Book, Pair], migrations: [] });
  await dataSource.initialize();
  await dataSource.query(`CREATE TABLE loaded_book (id int PRIMARY KEY, author_id int);
    INSERT INTO loaded_book SELECT n, n % 3 FROM generate_series(1, 3000) n`);
  poolOf(dataSource)?.observe({
    started: ({ text }) => {
      if (text.includes('loaded_book')) queries += 1;
      return undefined;
    },
  });
});
afterAll(async () => {
  await dataSource.destroy();
  await database.close();
});
beforeEach(() => {
  loader = new EntityLoader(dataSource);
  queries = 0;
});

const inRequest = <Result>(work: () => Promise<Result>): Promise<Result> =>
  runWithContext(createContext(), work);
const ids = (count: number) => Array.from({ length: count }, (_, at) => at + 1);

describe('a loader of rows', () => {
  it.each([10, 100])('asks once for %d rows that are loaded side by side', async (count) => {
    const books = await inRequest(() => Promise.all(ids(count).map((id) => loader.load(Book, id))));
    expect(books.map((book) => book?.id)).toEqual(ids(count));
    expect(queries).toBe(1);
  });

  it('asks in parts for very many', async () => {
    await inRequest(() => Promise.all(ids(2_500).map((id) => loader.load(Book, id))));
    expect(queries).toBe(3);
  });

  it('loads by any column, and says what is not there', async () => {
    await inRequest(async () => {
      const [ones, none] = await Promise.all([
        loader.loadAll(Book, 1, 'authorId'),
        loader.loadAll(Book, 9, 'authorId'),
      ]);
      expect(ones).toHaveLength(1_000);
      expect(none).toEqual([]);
      expect(await loader.load(Book, -1)).toBeNull();
    });
  });

  it('reads a row once in a request, until it is told to forget', async () => {
    await inRequest(async () => {
      const first = await loader.load(Book, 1);
      expect(await loader.load(Book, 1)).toBe(first);
      expect(queries).toBe(1);
      loader.clear();
      expect(await loader.load(Book, 1)).not.toBe(first);
    });
    expect(queries).toBe(2);
  });

  it('shares nothing between requests, and remembers nothing outside of them', async () => {
    const [one, other] = await Promise.all([
      inRequest(() => loader.load(Book, 1)),
      inRequest(() => loader.load(Book, 1)),
    ]);
    expect(one).not.toBe(other);
    expect(queries).toBe(2);
    await Promise.all([loader.load(Book, 1), loader.load(Book, 2)]);
    expect(queries).toBe(3);
    await loader.load(Book, 1);
    expect(queries).toBe(4);
  });

  it('tries again after a failure', async () => {
    await inRequest(async () => {
      await expect(loader.load(Book, 'no number')).rejects.toThrow();
      expect(await loader.load(Book, 1)).toMatchObject({ id: 1 });
    });
  });

  it('wants to know the column when the primary key has several', async () => {
    await expect(loader.load(Pair, 1)).rejects.toThrow('Pair has no primary key of one column');
  });
});
