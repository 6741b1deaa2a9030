import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import {
  adviseRemoval,
  adviseSchema,
  type Catalog,
  connectionOf,
  type Finding,
  openWhatIfPlanner,
  readCatalog,
  readSequences,
  readUsageAge,
  type UsageAge,
  type WhatIfPlanner,
} from '#libs/index-advisor';
import { cloneTemplate } from '../support/database.js';

const SCHEMA = [
  `CREATE SCHEMA stock`,
  `CREATE TABLE stock.place (id int PRIMARY KEY, code text NOT NULL, name varchar(40))`,
  `CREATE UNIQUE INDEX place_code ON stock.place (code)`,
  `CREATE TABLE stock.item (
     id serial PRIMARY KEY, place_id int REFERENCES stock.place, code_of_place text,
     token text, moved_at timestamp, label varchar(80), data jsonb, amount int,
     CONSTRAINT item_token UNIQUE (token))`,
  `INSERT INTO stock.place SELECT i, 'p' || i, 'place' FROM generate_series(1, 500) i`,
  `INSERT INTO stock.item (place_id, code_of_place, token, moved_at, label, data, amount)
     SELECT 1 + i % 500, 'p' || (1 + i % 500), gen_random_uuid()::text,
       '2025-01-01'::timestamp + i * interval '1 minute', 'item ' || i,
       jsonb_build_object('colour', i % 40), nullif(i % 100, 0) FROM generate_series(1, 40000) i`,
  // What should be found.
  `CREATE INDEX item_amount ON stock.item (amount)`,
  `CREATE INDEX item_amount_again ON stock.item (amount)`,
  `CREATE INDEX item_token_again ON stock.item (token)`,
  `CREATE INDEX item_amount_moved ON stock.item (amount, moved_at)`,
  `CREATE INDEX item_label ON stock.item (label)`,
  // What is alike and must stay.
  `CREATE INDEX item_amount_down ON stock.item (amount DESC, moved_at)`,
  `CREATE INDEX item_amount_some ON stock.item (amount) WHERE amount > 50`,
  `CREATE INDEX item_label_pattern ON stock.item (label text_pattern_ops)`,
  `SELECT setval('stock.item_id_seq', 1900000000)`,
  `VACUUM ANALYZE`,
];

let client: Client;
let drop: () => Promise<void>;
let workFolder: string;
let catalog: Catalog;
let planner: WhatIfPlanner;
let age: UsageAge;

beforeAll(async () => {
  workFolder = await mkdtemp(join(tmpdir(), 'what-if-'));
  const database = await cloneTemplate();
  drop = database.drop;
  client = new Client({ connectionString: database.url });
  await client.connect();
  for (const statement of SCHEMA) await client.query(statement);
  await read('SELECT id FROM stock.item WHERE amount = 7 AND moved_at > now()');
  await read('SELECT id FROM stock.item ORDER BY amount DESC, moved_at LIMIT 3');
  await read('SELECT id FROM stock.item WHERE amount > 98');
  await client.query('SELECT pg_stat_force_next_flush()');
  const connection = connectionOf(client);
  catalog = stockOf(await readCatalog(connection));
  planner = await openWhatIfPlanner(catalog, { workFolder });
  age = await readUsageAge(connection);
}, 120_000);

afterAll(async () => {
  await planner?.close();
  await client?.end();
  await drop?.();
  await rm(workFolder, { recursive: true, force: true });
});

const read = async (sql: string) => {
  await client.query('SET enable_seqscan = off');
  await client.query(sql);
  await client.query('RESET enable_seqscan');
};

/** The tables of the test alone, without those of the template. */
const stockOf = (whole: Catalog): Catalog => ({
  ...whole,
  tables: whole.tables.filter(({ schema }) => schema === 'stock'),
});

const found = (findings: readonly Finding[], code: string) =>
  findings.filter((finding) => finding.code === code).map(({ object }) => object);

describe('the removal of indexes', () => {
  it('finds duplicates by what they are, and says which index does the same', async () => {
    const { findings } = await adviseRemoval({ catalog, age, minDays: 0 });

    expect(found(findings, 'duplicate-index').toSorted()).toEqual([
      'stock.item_amount_again',
      'stock.item_token_again',
    ]);
    expect(found(findings, 'prefix-index')).toEqual(['stock.item_amount']);
    const token = findings.find(({ object }) => object === 'stock.item_token_again');
    expect(token?.why).toContain('enforces the unique item_token');
    expect(token?.remedy).toEqual(['DROP INDEX CONCURRENTLY "stock"."item_token_again"']);
    expect(token?.evidence).toMatchObject({ keptIndex: 'stock.item_token' });
  });

  it('calls unused only what nothing needs and nobody read', async () => {
    const { findings } = await adviseRemoval({ catalog, age, minDays: 0 });

    expect(found(findings, 'unused-index')).toContain('stock.item_label');
    const all = findings.map(({ object }) => object);
    for (const kept of [
      'place_code',
      'place_pkey',
      'item_pkey',
      'item_token',
      'item_amount_down',
    ]) {
      expect(all).not.toContain(`stock.${kept}`);
    }
    expect(findings.find(({ object }) => object === 'stock.item_label')?.evidence).toMatchObject({
      scans: 0,
      replicas: 0,
    });
  });

  it('says nothing of use while the counters are young, or of whom other servers count', async () => {
    const young = await adviseRemoval({ catalog, age });
    expect(found(young.findings, 'unused-index')).toEqual([]);
    expect(young.notes.join()).toContain('after 14 days');

    const replicated = await adviseRemoval({ catalog, age: { ...age, replicas: 2 }, minDays: 0 });
    const unused = replicated.findings.find(({ code }) => code === 'unused-index');
    expect(unused).toMatchObject({ confidence: 'check', evidence: { replicas: 2 } });
  });

  it('proves by planning which indexes a workload does not need', async () => {
    const statements = [
      { sql: 'SELECT id FROM stock.item WHERE amount = $1', parameters: [7], calls: 900 },
      { sql: 'SELECT * FROM stock.item WHERE token = $1', parameters: ['x'], calls: 5000 },
      {
        sql: 'SELECT id FROM stock.item ORDER BY amount DESC, moved_at LIMIT 3',
        parameters: [],
        calls: 20,
      },
      { sql: 'SELECT gone FROM stock.nowhere', calls: 3 },
    ];
    const { findings, notes } = await adviseRemoval({
      catalog,
      age,
      planner,
      statements,
      minDays: 0,
    });

    // Without the longer index of the two, the descending one is needed for its order.
    expect(findings.map(({ object }) => object)).not.toContain('stock.item_amount_down');
    expect(found(findings, 'duplicate-index')).toHaveLength(2);
    expect(notes.join()).not.toContain('No workload');
    for (const finding of findings.filter(({ code }) => code === 'redundant-index')) {
      const { workloadCostBefore, workloadCostAfter } = finding.evidence;
      expect(Number(workloadCostAfter)).toBeLessThanOrEqual(Number(workloadCostBefore) * 1.01);
    }
  });

  it('advises statements that PostgreSQL carries out', async () => {
    const { findings } = await adviseRemoval({ catalog, age, minDays: 0 });
    await client.query('BEGIN');
    try {
      for (const sql of findings.flatMap(({ remedy }) => remedy)) {
        await client.query(sql.replace(' CONCURRENTLY', ''));
      }
    } finally {
      await client.query('ROLLBACK');
    }
    expect(findings.length).toBeGreaterThan(3);
  });
});

describe('advice on a schema', () => {
  const advise = async () =>
    adviseSchema({
      catalog,
      sequences: await readSequences(connectionOf(client)),
      statements: [
        {
          fingerprint: 'hot',
          sql: `SELECT id FROM stock.item i WHERE i.data ->> 'colour' = $1`,
          parameters: undefined,
          calls: 100,
          totalMs: 5000,
          rows: 1000,
          variants: [],
        },
      ],
    });

  it('finds types, missing NOT NULL, foreign keys without an index, and hot paths into jsonb', async () => {
    const findings = await advise();

    expect(found(findings, 'timestamp-without-time-zone')).toEqual(['stock.item.moved_at']);
    expect(found(findings, 'uuid-as-text')).toEqual(['stock.item.token']);
    expect(found(findings, 'length-limited-text')).toEqual([
      'stock.place.name',
      'stock.item.label',
    ]);
    expect(found(findings, 'sequence-near-its-end')).toEqual(['stock.item.id']);
    expect(found(findings, 'foreign-key-without-index')).toEqual(['stock.item.place_id']);
    expect(found(findings, 'jsonb-path-in-hot-filter')).toEqual(['stock.item.data']);
    expect(found(findings, 'duplicate-index')).toHaveLength(2);
    const [nullable] = found(findings, 'nullable-without-null');
    expect(nullable).toContain('place_id');
    expect(nullable).not.toContain('amount');
  });

  it('shows no values of rows', async () => {
    const { rows } = await client.query('SELECT token FROM stock.item LIMIT 200');
    const text = JSON.stringify(await advise());
    expect(rows.filter(({ token }) => text.includes(String(token)))).toEqual([]);
  });

  it('advises statements that PostgreSQL carries out', async () => {
    const remedies = (await advise()).flatMap(({ remedy }) => remedy);
    await client.query('BEGIN');
    try {
      for (const sql of remedies) {
        if (!sql.startsWith('VACUUM')) await client.query(sql.replace(' CONCURRENTLY', ''));
      }
    } finally {
      await client.query('ROLLBACK');
    }
    expect(remedies.length).toBeGreaterThan(8);
  });
});
