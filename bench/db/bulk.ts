import { finished } from 'node:stream/promises';
import { bulkInsert, createDataSource, persistenceSettings, poolOf } from '#libs/persistence';
import { SettingsStore } from '#libs/config';
import { from as copyFrom } from 'pg-copy-streams';
import { Column, type DataSource, Entity, PrimaryColumn } from 'typeorm';
import type { BenchDatabase } from '../support/bench-database.js';
import { startProgressBar } from '../support/progress-bar.js';
import { inTurns, timed, verdict } from './variants.js';

const COPY_TARGET = 1.2;
const TYPEORM_TARGET = 4;
const CHUNK = 1_000;

@Entity('bench_order')
class Order {
  @PrimaryColumn('int')
  id!: number;
  @Column('uuid')
  customerId!: string;
  @Column('text')
  note!: string;
  @Column('numeric')
  price!: string;
  @Column('boolean')
  paid!: boolean;
  @Column('timestamptz')
  at!: Date;
  @Column('jsonb')
  detail!: object;
}

export interface BulkRow extends Record<string, string | number> {
  readonly insert: string;
  readonly ms: number;
  readonly rowsPerSecond: number;
  readonly against: string;
  readonly target: string;
  readonly verdict: string;
}

/** 100,000 rows with seven columns: ours, COPY as bare as it can be, and TypeORM in chunks. */
export async function measureBulk(
  database: BenchDatabase,
  rows: number,
  rounds: number,
): Promise<BulkRow[]> {
  const settings = new SettingsStore([persistenceSettings]).get(persistenceSettings);
  const dataSource = createDataSource(database.url, settings, {
    entities: [Order],
    migrations: [],
  });
  await dataSource.initialize();
  try {
    await dataSource.query(`CREATE TABLE bench_order (id int PRIMARY KEY, customer_id uuid NOT NULL,
      note text NOT NULL, price numeric NOT NULL, paid boolean NOT NULL, at timestamptz NOT NULL,
      detail jsonb NOT NULL)`);
    const orders = Array.from({ length: rows }, (_, id) => orderOf(id));
    const fresh = async (insert: () => Promise<unknown>): Promise<number> => {
      await dataSource.query('TRUNCATE bench_order');
      return timed(insert);
    };
    const bar = await startProgressBar('bulk insert', rounds * 4);
    let turns = 0;
    const ms = await inTurns(
      {
        COPY: () => fresh(() => bareCopy(dataSource, orders)),
        bulkInsert: () => fresh(() => bulkInsert(dataSource, Order, orders)),
        unnest: () => fresh(() => bulkInsert(dataSource, Order, orders, { method: 'unnest' })),
        TypeORM: () => fresh(() => inChunks(dataSource, orders)),
      },
      rounds,
      () => bar.update((turns += 1)),
    );
    bar.stop();
    const toCopy = ms.bulkInsert / ms.COPY;
    const toTypeorm = ms.TypeORM / ms.bulkInsert;
    const row = (insert: string, time: number, against = '', target = '', met = ''): BulkRow => ({
      insert,
      ms: time,
      rowsPerSecond: Math.round((rows / time) * 1000),
      against,
      target,
      verdict: met,
    });
    return [
      row('COPY, bare', ms.COPY),
      row(
        'bulkInsert',
        ms.bulkInsert,
        `${toCopy.toFixed(2)} × COPY`,
        `≤ ${COPY_TARGET}`,
        verdict(toCopy <= COPY_TARGET),
      ),
      row('bulkInsert by UNNEST', ms.unnest, `${(ms.unnest / ms.COPY).toFixed(2)} × COPY`),
      row(
        `TypeORM insert, chunks of ${CHUNK}`,
        ms.TypeORM,
        `bulkInsert is ${toTypeorm.toFixed(1)} × faster`,
        `≥ ${TYPEORM_TARGET}`,
        verdict(toTypeorm >= TYPEORM_TARGET),
      ),
    ];
  } finally {
    await dataSource.query('DROP TABLE IF EXISTS bench_order');
    await dataSource.destroy();
  }
}

function orderOf(id: number): Order {
  return Object.assign(new Order(), {
    id,
    customerId: `0190a3b0-7c5e-7abc-8def-${String(id % 1_000).padStart(12, '0')}`,
    note: `Order ${id}, to be left at the door, please.`,
    price: `${id % 500}.95`,
    paid: id % 3 === 0,
    at: new Date(1.7e12 + id * 1_000),
    detail: { lines: id % 7, gift: id % 11 === 0 },
  });
}

/** No conversion but what the format asks for, on one connection. */
async function bareCopy(dataSource: DataSource, orders: readonly Order[]): Promise<void> {
  const client = await poolOf(dataSource)?.connect();
  if (client === undefined) throw new Error('The database is not connected.');
  try {
    const stream = client.query(copyFrom('COPY bench_order FROM STDIN'));
    const end = finished(stream);
    let text = '';
    for (const { id, customerId, note, price, paid, at, detail } of orders) {
      text += `${id}\t${customerId}\t${note}\t${price}\t${paid}\t${at.toISOString()}\t${JSON.stringify(detail)}\n`;
      if (text.length < 65_536) continue;
      if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', resolve));
      text = '';
    }
    stream.end(text);
    await end;
  } finally {
    client.release();
  }
}

async function inChunks(dataSource: DataSource, orders: readonly Order[]): Promise<void> {
  await dataSource.transaction(async (manager) => {
    for (let at = 0; at < orders.length; at += CHUNK) {
      await manager.insert(Order, orders.slice(at, at + CHUNK));
    }
  });
}
