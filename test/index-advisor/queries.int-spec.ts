import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Client } from 'pg';
import {
  connectionOf,
  type OptimizationReport,
  type OptimizedQuery,
  optimizeQueries,
} from '#libs/index-advisor';
import { cloneTemplate } from '../support/database.js';

let database: Awaited<ReturnType<typeof cloneTemplate>>;
let client: Client;

beforeAll(async () => {
  database = await cloneTemplate();
  client = new Client({ connectionString: database.url });
  await client.connect();
  for (const statement of [
    `CREATE TABLE parcel (id int PRIMARY KEY, town int NOT NULL, zone int NOT NULL, state int NOT NULL,
       sent_at timestamptz NOT NULL, note text NOT NULL) WITH (autovacuum_enabled = off)`,
    `INSERT INTO parcel SELECT i, i % 1000, i % 1000, i % 50, '2026-01-01'::timestamptz + i * interval '1 min',
       repeat('n', 60) FROM generate_series(1, 60000) i`,
    'CREATE INDEX parcel_state ON parcel (state)',
    'CREATE INDEX parcel_sent ON parcel (sent_at)',
    'CREATE TABLE lost (parcel_id int) WITH (autovacuum_enabled = off)',
    'INSERT INTO lost SELECT i * 7 FROM generate_series(1, 4000) i',
    'CREATE TABLE lost_with_null AS SELECT * FROM lost UNION ALL SELECT NULL',
    'CREATE TABLE town (id int PRIMARY KEY, name text)',
    `INSERT INTO town SELECT i, 'town ' || i FROM generate_series(1, 1000) i`,
    'SELECT pg_stat_force_next_flush()',
    'ANALYZE',
    // Filled after it was analysed, so the planner takes it for empty.
    'CREATE TABLE fresh (id int, kind int) WITH (autovacuum_enabled = off)',
    'ANALYZE fresh',
    'INSERT INTO fresh SELECT i, i % 2 FROM generate_series(1, 30000) i',
  ]) {
    await client.query(statement);
  }
  await client.query('SELECT pg_stat_force_next_flush()');
  await client.query('SELECT 1');
}, 60_000);

afterAll(async () => {
  await client?.end();
  await database?.drop();
});

function optimize(
  sql: string,
  parameters: readonly unknown[] | 'unknown' = [],
  apply = false,
): Promise<OptimizationReport> {
  const known = parameters === 'unknown' ? undefined : parameters;
  const statement = { fingerprint: 'one', sql, parameters: known, calls: 10, totalMs: 100 };
  return optimizeQueries({ connection: connectionOf(client), statements: [statement], apply });
}

async function only(
  sql: string,
  parameters: readonly unknown[] | 'unknown' = [],
): Promise<OptimizedQuery> {
  const [query] = (await optimize(sql, parameters)).queries;
  if (query === undefined) throw new Error('no query');
  return query;
}

const codes = ({ findings }: OptimizedQuery) => findings.map(({ code }) => code);

describe('findings in plans', () => {
  it('finds a sequential scan that keeps few rows, with the path to it', async () => {
    const query = await only('SELECT count(*) FROM parcel WHERE town = $1', [5]);
    expect(query.plan).toBe('executed');
    const scan = query.findings.find(({ code }) => code === 'sequential-scan');
    expect(scan?.path).toMatch(/^Aggregate > .*Seq Scan on parcel$/);
    expect(scan?.evidence).toMatchObject({ rowsKept: 60 });
  });

  it('says the same of a plan without parameters, by estimates', async () => {
    const query = await only('SELECT count(*) FROM parcel WHERE town = $1', 'unknown');
    expect(query.plan).toBe('estimated');
    expect(codes(query)).toEqual(['sequential-scan']);
  });

  it('finds a wrong number of rows where columns depend on each other', async () => {
    const query = await only('SELECT id FROM parcel WHERE town < 300 AND zone >= 300');
    const estimate = query.findings.find(({ code }) => code === 'row-estimate');
    expect(estimate).toMatchObject({
      evidence: { actual: 0 },
      remedy: 'ANALYZE "public"."parcel"',
    });
  });

  it('finds a sort that goes to disk', async () => {
    await client.query(`SET work_mem = '64kB'`);
    const query = await only('SELECT id, note FROM parcel ORDER BY note, town');
    await client.query('RESET work_mem');
    const spill = query.findings.find(({ code }) => code === 'sort-spill');
    expect(spill?.path).toMatch(/Sort/);
    expect(Number(spill?.evidence['diskKilobytes'])).toBeGreaterThan(100);
  });

  it('finds a nested loop that goes through a table again and again', async () => {
    const query = await only(
      'SELECT count(*) FROM lost l JOIN town t ON t.id + 0 < l.parcel_id % 5 AND l.parcel_id % 2 = 0',
    );
    const loop = query.findings.find(({ code }) => code === 'nested-loop-blow-up');
    expect(loop?.path).toContain('Nested Loop');
    expect(Number(loop?.evidence['rowsVisited'])).toBeGreaterThan(100_000);
  });

  it('finds a filter that throws away what an index found', async () => {
    await client.query('SET enable_seqscan = off');
    await client.query('SET enable_bitmapscan = off');
    const query = await only(`SELECT id FROM parcel WHERE state = 7 AND town = 957 AND note <> ''`);
    await client.query('RESET ALL');
    const filter = query.findings.find(({ code }) => code === 'filter-after-index');
    expect(filter?.evidence).toMatchObject({
      index: 'parcel_state',
      rowsFound: 1200,
      rowsKept: 60,
    });
  });

  it('is silent about plans in which nothing is wrong', async () => {
    expect((await only('SELECT note FROM parcel WHERE id = $1', [77])).findings).toEqual([]);
    expect((await only('SELECT count(*) FROM parcel')).findings).toEqual([]);
    expect((await only('SELECT name FROM town WHERE id = 3')).findings).toEqual([]);
  });

  it('never runs what writes, locks, or is more than one statement', async () => {
    const before = await client.query('SELECT count(*) FROM lost');
    for (const [sql, plan] of [
      ['DELETE FROM lost', 'estimated'],
      ['WITH gone AS (DELETE FROM lost RETURNING *) SELECT * FROM gone', 'estimated'],
      ['SELECT * FROM lost FOR UPDATE', 'estimated'],
      ['SELECT 1; DELETE FROM lost', 'refused'],
      ['DROP TABLE lost', 'refused'],
      ['no SQL at all', 'refused'],
    ] as const) {
      expect({ sql, plan: (await only(sql)).plan }).toEqual({ sql, plan });
    }
    expect((await client.query('SELECT count(*) FROM lost')).rows).toEqual(before.rows);
  });
});

describe('rewrites', () => {
  it('takes one that gives the same rows clearly faster, with the figures', async () => {
    await client.query(`SET TIME ZONE 'UTC'`);
    const { rewrites } = await only('SELECT id FROM parcel p WHERE p.sent_at::date = $1', [
      '2026-01-15',
    ]);
    expect(rewrites).toEqual([
      expect.objectContaining({ kind: 'date-to-range', isAccepted: true, rejectedBecause: null }),
    ]);
    const [{ before, after, gain } = { before: null, after: null, gain: null }] = rewrites;
    expect(before?.runs).toBe(7);
    expect(gain).toBeCloseTo(1 - (after?.medianMs ?? 0) / (before?.medianMs ?? 1), 2);
  });

  it('rejects one that gives other rows, and says so', async () => {
    const { rewrites } = await only(
      'SELECT count(*) FROM town WHERE id NOT IN (SELECT parcel_id FROM lost_with_null)',
    );
    expect(rewrites).toEqual([
      expect.objectContaining({
        kind: 'not-in-to-not-exists',
        isAccepted: false,
        rejectedBecause: 'it does not give the same rows',
        gain: null,
      }),
    ]);
  });

  it('rejects one that is no faster, with what was measured', async () => {
    const { rewrites } = await only(
      'SELECT id FROM town t WHERE id < 3 AND (SELECT count(*) FROM lost l WHERE l.parcel_id = 0) > 0',
    );
    const [
      { kind, isAccepted, rejectedBecause } = { kind: '', isAccepted: true, rejectedBecause: '' },
    ] = rewrites;
    expect(kind).toBe('count-to-exists');
    expect({ isAccepted, rejectedBecause }).toEqual({
      isAccepted: false,
      rejectedBecause: 'it is not clearly faster',
    });
  });

  it('rejects all for which no parameters are known', async () => {
    const { rewrites } = await only('SELECT id FROM parcel WHERE sent_at::date = $1', 'unknown');
    expect(rewrites[0]?.rejectedBecause).toBe('no parameters are known to try it with');
  });
});

describe('stale statistics', () => {
  it('are refreshed, and the effect is told as it was measured', async () => {
    const sql = 'SELECT count(*) FROM fresh a JOIN fresh b ON a.id = b.id WHERE a.kind = 1';
    const report = await optimize(sql, [], true);

    expect(report.queriesAnalyzed).toBe(1);
    const [applied] = report.optimizationsApplied;
    expect(applied).toMatchObject({ kind: 'analyze', object: 'public.fresh' });
    const [effect] = applied?.effects ?? [];
    const { before, after } = effect ?? {};
    expect(before?.runs).toBe(7);
    expect(report.performanceImprovement.measured).toBeCloseTo(
      1 - (after?.medianMs ?? 0) / (before?.medianMs ?? 1),
      6,
    );
    const { rows } = await client.query(`SELECT reltuples FROM pg_class WHERE relname = 'fresh'`);
    expect(rows).toEqual([{ reltuples: 30000 }]);
    expect((await optimize(sql, [], true)).optimizationsApplied).toEqual([]);
  });
});
