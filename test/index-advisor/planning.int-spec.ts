import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  candidateClause,
  type Catalog,
  type CatalogIndex,
  connectionOf,
  openWhatIfPlanner,
  parsePlan,
  type Plan,
  readCatalog,
  type WhatIfPlanner,
} from '#libs/index-advisor';
import { planShape } from './plan-shape.js';
import { PLANNING_CASES, type PlanningCase } from './planning-cases.js';
import { createShopDatabase, type ShopDatabase } from './shop-database.js';

let shop: ShopDatabase;
let workFolder: string;
let catalog: Catalog;
let planner: WhatIfPlanner;

beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'what-if-'));
  shop = await createShopDatabase();
  catalog = await readCatalog(connectionOf(shop.client));
  planner = await openWhatIfPlanner(catalog, { workFolder });
}, 180_000);

afterAll(async () => {
  await planner?.close();
  await shop?.close();
  await rm(workFolder, { recursive: true, force: true });
});

describe('planning with hypothetical indexes', () => {
  it('knows of nothing that makes plans differ on this server', () => {
    expect(planner.differences).toEqual([]);
  });

  it('gives the plans and costs that the real indexes give', async () => {
    const refused = await planner.prepare(PLANNING_CASES.map(({ candidate }) => candidate));
    expect(refused).toEqual([]);

    const compared = [];
    for (const planningCase of PLANNING_CASES) {
      const { name, statement, candidate } = planningCase;
      const plan = await planner.explain(statement, [candidate]);
      const real = await planWithRealIndex(planningCase);
      const deviation = Math.abs(plan.totalCost / real.totalCost - 1);
      compared.push({ name, isSame: planShape(plan.root) === planShape(real.root), deviation });
    }

    const same = compared.filter(({ isSame }) => isSame);
    const different = compared.filter(({ isSame }) => !isSame);
    const deviations = same.map(({ deviation }) => deviation).toSorted((a, b) => a - b);
    // One of 15 may be planned differently.
    expect(different.slice(Math.floor(compared.length / 15))).toEqual([]);
    expect(deviations[Math.floor(deviations.length / 2)]).toBeLessThan(0.01);
    expect(same.filter(({ deviation }) => deviation > 0.05)).toEqual([]);
  }, 120_000);

  it('gives the plans and costs of the server where nothing is changed', async () => {
    for (const { statement } of PLANNING_CASES) {
      const plan = await planner.explain(statement);
      const real = await planOnServer(statement);
      expect(planShape(plan.root)).toBe(planShape(real.root));
      expect(Math.abs(plan.totalCost / real.totalCost - 1)).toBeLessThan(0.01);
    }
  });

  it('plans without an index that exists', async () => {
    const sql = 'SELECT * FROM "Shop"."Orders" WHERE id = 5';
    const pkey = { schema: 'Shop', name: 'Orders_pkey' };

    expect((await planner.explain(sql)).usedIndexes).toEqual(['Orders_pkey']);
    expect((await planner.explain(sql, [], [pkey])).usedIndexes).toEqual([]);
    expect((await planner.explain(sql)).usedIndexes).toEqual(['Orders_pkey']);
  });

  it('says why a statement or a candidate is refused', async () => {
    await expect(planner.explain('SELECT * FROM nowhere')).rejects.toMatchObject({
      code: 'INDEX_ADVISOR_STATEMENT_REFUSED',
      sqlState: '42P01',
    });
    await expect(planner.explain('SELECT 1; SELECT 2')).rejects.toMatchObject({
      code: 'INDEX_ADVISOR_STATEMENT_REFUSED',
    });
    const column = { schema: 'Shop', table: 'lines', method: 'btree', keys: [{ column: 'nope' }] };
    const [refused] = await planner.prepare([{ ...column, method: 'btree' }]);
    expect(refused?.reason).toContain('"nope" does not exist');
    expect((await planner.explain('SELECT 1', [{ ...column, method: 'btree' }])).rows).toBe(1);
  });
});

describe('a table of 200 GB', () => {
  it('is planned from statistics alone, in megabytes', async () => {
    const pages = (200 * 2 ** 30) / 8192;
    const growth = pages / tableOf('Orders').size.pages;
    const large = await openWhatIfPlanner(
      {
        ...catalog,
        tables: catalog.tables.map((table) =>
          table.name === 'Orders' ? grown(table, growth) : table,
        ),
      },
      { workFolder },
    );
    try {
      const sql = 'SELECT * FROM "Shop"."Orders" WHERE customer_id = 771';
      const candidate = {
        schema: 'Shop',
        table: 'Orders',
        method: 'btree',
        keys: [{ column: 'customer_id' }],
      } as const;

      const before = await large.explain(sql);
      const after = await large.explain(sql, [candidate]);

      expect(before.totalCost).toBeGreaterThan(pages / 10);
      expect(after.usedCandidates).toEqual([candidate]);
      expect(after.totalCost).toBeLessThan(before.totalCost);
      const { apparentBytes, bytesOnDisk } = await sizesOf(workFolder);
      expect(apparentBytes).toBeGreaterThan(200 * 2 ** 30);
      expect(bytesOnDisk).toBeLessThan(200 * 2 ** 20);
    } finally {
      await large.close();
    }
  }, 120_000);
});

/** The plan with the real index, which is gone again afterwards. */
async function planWithRealIndex({ candidate, statement, analyze }: PlanningCase): Promise<Plan> {
  await shop.client.query('BEGIN');
  try {
    await shop.client.query(`CREATE INDEX ON ${candidateClause(candidate)}`);
    if (analyze === true) await shop.client.query(`ANALYZE "Shop"."${candidate.table}"`);
    return await planOnServer(statement);
  } finally {
    await shop.client.query('ROLLBACK');
  }
}

async function planOnServer({ sql, parameters }: PlanningCase['statement']): Promise<Plan> {
  const generic = parameters === undefined ? 'GENERIC_PLAN, ' : '';
  const { rows } = await shop.client.query(`EXPLAIN (${generic}VERBOSE, FORMAT JSON) ${sql}`, [
    ...(parameters ?? []),
  ]);
  return parsePlan(rows[0]['QUERY PLAN'][0].Plan);
}

function tableOf(name: string) {
  const table = catalog.tables.find((other) => other.name === name);
  if (table === undefined) throw new Error(`No table ${name}.`);
  return table;
}

function grown(table: Catalog['tables'][number], factor: number): Catalog['tables'][number] {
  const { size, indexes } = table;
  return {
    ...table,
    size: {
      ...size,
      pages: Math.ceil(size.pages * factor),
      rows: size.rows * factor,
      analysedPages: Math.ceil(size.analysedPages * factor),
      analysedRows: size.analysedRows * factor,
    },
    indexes: indexes.map((index) => grownIndex(index, factor)),
  };
}

function grownIndex(index: CatalogIndex, factor: number): CatalogIndex {
  return { ...index, pages: Math.ceil(index.pages * factor) };
}

async function sizesOf(folder: string) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const stats = await Promise.all(files.map((file) => stat(join(file.parentPath, file.name))));
  return {
    apparentBytes: stats.reduce((sum, { size }) => sum + size, 0),
    bytesOnDisk: stats.reduce((sum, { blocks }) => sum + blocks * 512, 0),
  };
}
