import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import {
  Column,
  CreateDateColumn,
  DataSource,
  Entity,
  PrimaryColumn,
  VersionColumn,
} from 'typeorm';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { createDataSource } from '../data-source.js';
import { SettingsStore } from '#libs/config';
import { persistenceSettings } from '../persistence.settings.js';
import { bulkInsert } from './bulk-insert.js';

class Address {
  @Column({ type: 'text', nullable: true })
  city!: string | null;
}

@Entity('bulk_item')
class Item {
  @PrimaryColumn('int')
  id!: number;
  @Column({ type: 'varchar', length: 40 })
  name!: string;
  @Column({ type: 'text', nullable: true })
  note!: string | null;
  @Column({ type: 'numeric', default: 7 })
  price!: string;
  @Column('boolean', { default: true })
  active!: boolean;
  @Column('timestamptz', { nullable: true })
  at!: Date | null;
  @Column('timestamp', { nullable: true })
  local!: Date | null;
  @Column('date', { nullable: true })
  day!: string | null;
  @Column('jsonb', { nullable: true })
  data!: unknown;
  @Column('text', { array: true, nullable: true })
  tags!: string[] | null;
  @Column('bytea', { nullable: true })
  bytes!: Buffer | null;
  @Column({ type: 'enum', enum: ['sad', 'happy'], enumName: 'bulk_mood', nullable: true })
  mood!: 'sad' | 'happy' | null;
  @Column({
    type: 'text',
    nullable: true,
    transformer: { to: (v: string | null) => v && `<${v}>`, from: (v: unknown) => v },
  })
  wrapped!: string | null;
  @Column(() => Address)
  address!: Address;
  @CreateDateColumn({ type: 'timestamptz' })
  createdAt!: Date;
  @VersionColumn()
  version!: number;
}

let database: TestDatabase;
let dataSource: DataSource;

beforeAll(async () => {
  database = await createTestDatabase();
  const settings = new SettingsStore([persistenceSettings]).get(persistenceSettings);
  dataSource = createDataSource(database.url, settings, { entities: [Item], migrations: [] });
  await dataSource.initialize();
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  for (const { query } of upQueries.filter((one) => one.query.includes('bulk_'))) {
    await dataSource.query(query);
  }
});
afterAll(async () => {
  await dataSource.destroy();
  await database.close();
});
beforeEach(() => dataSource.query('TRUNCATE bulk_item'));

const item = (id: number, more: Partial<Item> = {}): Partial<Item> => ({
  id,
  name: `n${id}`,
  ...more,
});
const items = (count: number): Partial<Item>[] =>
  Array.from({ length: count }, (_, at) => item(at));
const timeless = (rows: readonly Item[]) => {
  for (const row of rows) row.createdAt = new Date(0);
  return rows;
};
const stored = () => dataSource.getRepository(Item).find({ order: { id: 'ASC' } });

/** One of everything that is easily written wrong. */
const awkward: Partial<Item>[] = [
  item(1, {
    note: 'tab\t, line\n, return\r, backslash \\ \\N, quote " \', comma, {brace}, Ünï🐘',
    price: '12.340',
    active: false,
    at: new Date('2026-02-03T04:05:06.789Z'),
    local: new Date('2026-07-03T04:05:06.789Z'),
    day: '2026-02-28',
    data: { text: 'a "quoted" \\ one', list: [1, null], nested: { empty: '' } },
    tags: ['a,b', 'c"d', 'e\\f', '', 'NULL', '{}'],
    bytes: Buffer.from([0, 1, 255, 92]),
    mood: 'happy',
    wrapped: 'inside',
    address: { city: 'Zürich' },
  }),
  item(2, { note: null, at: null, data: null, tags: null, bytes: null, mood: null, wrapped: null }),
  item(3, { note: '', tags: [], data: [1, 'two'], bytes: Buffer.alloc(0), address: { city: '' } }),
  item(4),
  item(5, { note: '\\N', data: 'text', price: '0' }),
];

describe.each(['unnest', 'copy'] as const)('a bulk insert by %s', (method) => {
  it('stores the same as an insert of TypeORM', async () => {
    await dataSource.getRepository(Item).insert(awkward as never);
    const expected = timeless(await stored());
    await dataSource.query('TRUNCATE bulk_item');
    const report = await bulkInsert(dataSource, Item, awkward, { method });
    expect(report).toEqual({ written: 5, rejectedCount: 0, rejected: [], rows: [], method });
    const rows = await stored();
    expect(rows.every(({ createdAt }) => createdAt instanceof Date)).toBe(true);
    expect(timeless(rows)).toEqual(expected);
  });

  it('stores all or nothing, and says what is wrong', async () => {
    const rows = [...items(2_500), item(2_499)];
    await expect(bulkInsert(dataSource, Item, rows, { method })).rejects.toMatchObject({
      code: '23505',
    });
    expect(await stored()).toEqual([]);
  });

  it('stores the good rows and reports the others, when that is asked for', async () => {
    const rows = items(3_000);
    rows[7] = item(6);
    rows[1_500] = item(1_500, { name: 'x'.repeat(41) });
    rows[2_999] = item(2_999, { mood: 'angry' as never });
    const report = await bulkInsert(dataSource, Item, rows, { method, onError: 'report' });
    expect(report).toMatchObject({ written: 2_997, rejectedCount: 3 });
    expect(report.rejected.toSorted((a, b) => a.index - b.index)).toEqual([
      { index: expect.any(Number), code: '23505', detail: expect.any(String) },
      { index: 1_500, code: '22001', detail: expect.any(String) },
      { index: 2_999, code: '22P02', detail: expect.any(String) },
    ]);
    expect(await dataSource.getRepository(Item).count()).toBe(2_997);
  });

  it('leaves out or updates what is there, and gives back what is asked for', async () => {
    await bulkInsert(dataSource, Item, [item(1), item(2)], { method });
    const skipped = await bulkInsert(dataSource, Item, [item(2), item(3)], {
      method,
      conflict: 'skip',
      returning: ['id', 'createdAt'],
    });
    expect(skipped).toMatchObject({ written: 1, rows: [{ id: 3, createdAt: expect.any(Date) }] });
    const updated = await bulkInsert(
      dataSource,
      Item,
      [item(3, { name: 'new', price: '9' }), item(4)],
      {
        method,
        conflict: { on: ['id'], update: ['name'] },
      },
    );
    expect(updated.written).toBe(2);
    expect((await stored()).map(({ id, name, price }) => [id, name, price])).toEqual([
      [1, 'n1', '7'],
      [2, 'n2', '7'],
      [3, 'new', '7'],
      [4, 'n4', '7'],
    ]);
  });

  it('reads an endless input only as fast as it writes, and stops when it is told to', async () => {
    const stop = new AbortController();
    let read = 0;
    let isClosed = false;
    async function* endless() {
      try {
        for (;;) {
          if (read === 7_000) stop.abort(new Error('enough'));
          yield item(read++);
        }
      } finally {
        isClosed = true;
      }
    }
    await expect(
      bulkInsert(dataSource, Item, endless(), { method, signal: stop.signal }),
    ).rejects.toThrow('enough');
    expect(read).toBeLessThan(9_000);
    expect(isClosed).toBe(true);
    expect(await stored()).toEqual([]);
  });
});

describe('a bulk insert', () => {
  it('takes more rows than a statement has parameters, by the method that suits', async () => {
    expect(await bulkInsert(dataSource, Item, items(20_000))).toMatchObject({
      written: 20_000,
      method: 'copy',
    });
    expect(await bulkInsert(dataSource, Item, [item(-1)])).toMatchObject({ method: 'unnest' });
    expect(await bulkInsert(dataSource, Item, [])).toMatchObject({ written: 0, method: 'unnest' });
    const rows = Array.from({ length: 70_000 }, (_, at) => item(100_000 + at));
    expect(
      await bulkInsert(dataSource, Item, rows, { method: 'unnest', batchRows: 70_000 }),
    ).toMatchObject({
      written: 70_000,
    });
  });

  it('refuses columns that are none', async () => {
    await expect(
      bulkInsert(dataSource, Item, [item(1)], { returning: ['nothing' as never] }),
    ).rejects.toThrow('"bulk_item" has no column for "nothing".');
  });

  it('leaves the connections as they were', async () => {
    const pool = (
      dataSource.driver as unknown as { master: { totalCount: number; idleCount: number } }
    ).master;
    await bulkInsert(dataSource, Item, [item(1), item(1)]).catch(() => undefined);
    expect(pool.idleCount).toBe(pool.totalCount);
  });
});
