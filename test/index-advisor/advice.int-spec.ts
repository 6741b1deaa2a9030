import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import {
  adviseIndexes,
  type AdviceProgress,
  type Catalog,
  connectionOf,
  type IndexAdvice,
  joinWorkload,
  openWhatIfPlanner,
  readCatalog,
  readWorkload,
  type RecordedStatement,
  type RecordedWorkload,
  type WhatIfPlanner,
  WorkloadSource,
} from '#libs/index-advisor';
import { createShopDatabase, type ShopDatabase } from './shop-database.js';

let shop: ShopDatabase;
let catalog: Catalog;
let planner: WhatIfPlanner;

beforeAll(async () => {
  shop = await createShopDatabase();
  await shop.client.query(`SET search_path = "Shop", public`);
  catalog = await readCatalog(connectionOf(shop.client));
  planner = await openWhatIfPlanner(catalog);
}, 180_000);

afterAll(async () => {
  await planner?.close();
  await shop?.close();
});

describe('advice on a real database', () => {
  it('finds the index that is missing and no other', async () => {
    const advice = await adviceFor([
      {
        text: 'SELECT * FROM "Orders" WHERE customer_id = $1',
        calls: 5000,
        totalMs: 60_000,
        rows: 50_000,
        parameters: [77],
      },
      {
        text: 'SELECT * FROM "Orders" WHERE id = $1',
        calls: 90_000,
        totalMs: 9000,
        rows: 90_000,
        parameters: [4],
      },
      {
        text: 'SELECT id FROM customers WHERE created_at > $1 ORDER BY created_at LIMIT 10',
        calls: 900,
        totalMs: 900,
        rows: 9000,
        parameters: ['2024-05-01'],
      },
    ]);
    expect(advice.indexes.map(({ index }) => [index.table, index.keys])).toEqual([
      ['Orders', [{ column: 'customer_id' }]],
    ]);
    const [advised] = advice.indexes;
    expect(advised?.serves).toHaveLength(1);
    expect(advised?.serves[0]?.costAfter).toBeLessThan((advised?.serves[0]?.costBefore ?? 0) / 10);
    expect(advice.gap).toBeLessThanOrEqual(0.01);

    const before = await totalCost('SELECT * FROM "Orders" WHERE customer_id = 77');
    await shop.client.query(advised?.ddl ?? '');
    const after = await totalCost('SELECT * FROM "Orders" WHERE customer_id = 77');
    await shop.client.query(`DROP INDEX "Shop"."${advised?.name}"`);
    expect(advised?.serves[0]?.costBefore).toBeCloseTo(before, 0);
    expect(Math.abs((advised?.serves[0]?.costAfter ?? 0) / after - 1)).toBeLessThan(0.05);
  });

  it('keeps to the budget and chooses what saves most for it', async () => {
    const statements = [
      {
        text: 'SELECT * FROM "Orders" WHERE customer_id = $1',
        calls: 5000,
        totalMs: 60_000,
        rows: 50_000,
        parameters: [77],
      },
      {
        text: 'SELECT order_id FROM lines WHERE sku = $1',
        calls: 10,
        totalMs: 100,
        rows: 500,
        parameters: ['sku-17'],
      },
    ];
    const all = await adviceFor(statements);
    const orders = all.indexes.find(({ index }) => index.table === 'Orders');
    expect(all.indexes.map(({ index }) => index.table).toSorted()).toEqual(['Orders', 'lines']);
    const small = await adviceFor(statements, { budgetBytes: orders?.sizeBytes ?? 0 });
    expect(small.indexes.map(({ name }) => name)).toEqual([orders?.name]);
    expect(await adviceFor(statements, { budgetBytes: 8192 })).toMatchObject({ indexes: [] });
  });

  it('advises nothing that writes would pay more for than reads gain', async () => {
    const read = {
      text: 'SELECT quantity FROM lines WHERE sku = $1',
      calls: 2,
      totalMs: 20,
      rows: 100,
      parameters: ['sku-17'],
    };
    const write = {
      text: 'INSERT INTO lines VALUES ($1, $2, $3, $4)',
      calls: 5_000_000,
      totalMs: 900_000,
      rows: 5_000_000,
    };
    expect((await adviceFor([read])).indexes).toHaveLength(1);
    expect((await adviceFor([read, write])).indexes).toEqual([]);
  });

  it('shows no literals, and reports its progress', async () => {
    const progress: AdviceProgress[] = [];
    const advice = await adviceFor(
      [
        {
          text: `SELECT id FROM customers WHERE lower(name) = 'ann secret' AND country IS NOT NULL`,
          calls: 1000,
          totalMs: 9000,
          rows: 1000,
        },
      ],
      { onProgress: (step) => progress.push(step) },
    );
    expect(advice.indexes[0]?.ddl).toContain('lower');
    expect(JSON.stringify(advice)).not.toContain('secret');
    const done = progress.map((step) => step.done);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
    expect(done.at(-1)).toBe(1);
  });

  it('reads what the server counted', async () => {
    await shop.client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements');
    for (let customer = 1; customer <= 40; customer += 1) {
      await shop.client.query(
        `SELECT * FROM "Orders" WHERE customer_id = ${customer} ORDER BY "placedAt" DESC LIMIT 5`,
      );
    }
    const workload = await readWorkload(connectionOf(shop.client));
    expect(workload.statements.filter(({ sql }) => /pg_catalog|pg_class/.test(sql))).toEqual([]);
    const counted = workload.statements.find(({ sql }) => sql.includes('ORDER BY "placedAt"'));
    expect(counted).toMatchObject({ calls: 40, parameters: undefined });
    // What nobody knows the values of is still planned for the rows that were really read.
    expect(counted?.sql).toMatch(/LIMIT 5$/);
    const advice = await adviseIndexes({ connection: connectionOf(shop.client) });
    const keys = advice.indexes
      .filter(({ index }) => index.table === 'Orders')
      .map(({ index }) => index.keys);
    expect(keys.map(([first]) => first)).toEqual([{ column: 'customer_id' }]);
  });

  it('says what to do when the server counts nothing, and takes what others counted', async () => {
    await shop.client.query('DROP EXTENSION IF EXISTS pg_stat_statements');
    const text = 'SELECT * FROM "Orders" WHERE customer_id = $1';
    const source = new FixedSource([{ text, calls: 3, totalMs: 9, parameters: [1] }]);
    const workload = await readWorkload(connectionOf(shop.client), { sources: [source] });
    expect(workload.statements).toMatchObject([{ sql: text, calls: 3, parameters: [1] }]);
    expect(workload.notes[0]).toContain('CREATE EXTENSION');
  });
});

class FixedSource extends WorkloadSource {
  constructor(private readonly statements: readonly RecordedStatement[]) {
    super();
  }

  read(): Promise<RecordedWorkload> {
    return Promise.resolve({
      statements: this.statements,
      since: new Date(Date.now() - 86_400_000),
    });
  }
}

async function adviceFor(
  statements: readonly RecordedStatement[],
  options: { budgetBytes?: number; onProgress?: (progress: AdviceProgress) => void } = {},
): Promise<IndexAdvice> {
  const since = new Date(Date.now() - 86_400_000);
  const workload = await joinWorkload([{ statements, since }], new Date());
  return adviseIndexes({ catalog, workload, planner, timeMs: 20_000, ...options });
}

async function totalCost(sql: string): Promise<number> {
  const { rows } = await shop.client.query<{ 'QUERY PLAN': [{ Plan: { 'Total Cost': number } }] }>(
    `EXPLAIN (FORMAT JSON) ${sql}`,
  );
  return rows[0]?.['QUERY PLAN'][0].Plan['Total Cost'] ?? 0;
}
