import { describe, expect, it } from '@jest/globals';
import type { Catalog } from '../catalog/catalog.js';
import { candidateClause } from '../what-if/candidate-index.js';
import { joinWorkload } from '../workload/read-workload.js';
import type { RecordedStatement } from '../workload/workload.js';
import { proposeCandidates } from './propose-candidates.js';
import { sampleCatalog } from './sample-catalog.js';

const orders = {
  name: 'orders',
  columns: [
    { name: 'id', distinct: -1 },
    { name: 'customer_id', distinct: 5000 },
    { name: 'status', type: 'text', distinct: 4 },
    { name: 'placed_at', type: 'timestamptz', distinct: -0.9, correlation: 0.99 },
    { name: 'total', type: 'numeric' },
    { name: 'paid', type: 'bool', distinct: 2 },
    { name: 'deleted_at', type: 'timestamptz', distinct: 100, nullFraction: 0.5 },
    { name: 'note', type: 'text' },
    { name: 'tenant', distinct: 1 },
    { name: 'data', type: 'jsonb' },
    { name: 'tags', type: '_text' },
    { name: 'search', type: 'tsvector' },
    { name: 'during', type: 'tstzrange' },
    { name: 'raw', type: 'json' },
  ],
  indexes: [{ name: 'orders_pkey', columns: ['id'], isUnique: true }],
};
const customers = {
  name: 'customers',
  columns: [
    { name: 'id', distinct: -1 },
    { name: 'email', type: 'text', distinct: -1 },
    { name: 'country', type: 'text', distinct: 50 },
  ],
};
const mixed = {
  schema: 'Shop',
  name: 'Line Items',
  columns: [{ name: 'orderId' }, { name: 'sku' }],
};
const events = {
  name: 'events',
  kind: 'partitioned' as const,
  pages: 0,
  columns: [{ name: 'at' }, { name: 'kind' }],
};
const small = { name: 'small', pages: 2, columns: [{ name: 'a' }] };
const catalog = sampleCatalog([orders, customers, mixed, events, small], {
  extensions: ['pg_trgm'],
  views: {
    open_orders: `SELECT o.id, o.customer_id AS buyer, lower(o.note) AS low FROM orders o WHERE o.status = 'open'`,
    everyone: 'SELECT id, customer_id AS who FROM orders UNION ALL SELECT id, id FROM customers',
  },
});

describe('proposeCandidates', () => {
  it.each<[what: string, sql: string, expected: readonly string[]]>([
    ['equality', 'SELECT * FROM orders WHERE customer_id = $1', ['"customer_id"']],
    ['equality from either side', 'SELECT * FROM orders WHERE $1 = customer_id', ['"customer_id"']],
    ['lists', 'SELECT * FROM orders WHERE customer_id IN ($1, $2)', ['"customer_id"']],
    ['arrays of values', 'SELECT * FROM orders WHERE customer_id = ANY($1)', ['"customer_id"']],
    ['null', 'SELECT * FROM orders WHERE deleted_at IS NULL', ['"deleted_at"']],
    [
      'equality before range',
      'SELECT * FROM orders WHERE total > $1 AND customer_id = $2',
      ['"customer_id", "total"'],
    ],
    ['BETWEEN', 'SELECT * FROM orders WHERE total BETWEEN $1 AND $2', ['"total"']],
    [
      'the more selective column first, and the other way',
      'SELECT * FROM orders WHERE status = $1 AND customer_id = $2',
      ['"customer_id", "status"', '"status", "customer_id"'],
    ],
    [
      'the end of a list',
      'SELECT * FROM orders WHERE customer_id = $1 ORDER BY placed_at DESC LIMIT 10',
      ['"customer_id", "placed_at"'],
    ],
    [
      'an order whose nulls lie elsewhere',
      'SELECT * FROM orders ORDER BY total DESC NULLS LAST LIMIT 1',
      ['"total" NULLS FIRST'],
    ],
    [
      'mixed directions',
      'SELECT * FROM orders ORDER BY placed_at DESC, id LIMIT 5',
      ['"placed_at", "id" DESC'],
    ],
    [
      'an alias and a number in ORDER BY',
      'SELECT total AS t, placed_at FROM orders ORDER BY t, 2 LIMIT 5',
      ['"total", "placed_at"'],
    ],
    [
      'pages by key',
      'SELECT * FROM orders WHERE (placed_at, id) > ($1, $2) ORDER BY placed_at, id LIMIT 5',
      ['"placed_at", "id"'],
    ],
    [
      'GROUP BY',
      'SELECT customer_id, count(*) FROM orders GROUP BY customer_id',
      ['"customer_id"'],
    ],
    ['DISTINCT', 'SELECT DISTINCT customer_id FROM orders', ['"customer_id"']],
    [
      'DISTINCT ON',
      'SELECT DISTINCT ON (customer_id) * FROM orders ORDER BY customer_id, placed_at DESC',
      ['"customer_id", "placed_at" DESC'],
    ],
    [
      'the largest value',
      'SELECT max(placed_at) FROM orders WHERE customer_id = $1',
      ['"customer_id", "placed_at"'],
    ],
    [
      'windows',
      'SELECT row_number() OVER (PARTITION BY customer_id ORDER BY placed_at) FROM orders',
      ['"customer_id", "placed_at"'],
    ],
    [
      'joins on both sides',
      'SELECT * FROM orders o JOIN customers c ON c.id = o.customer_id',
      ['"customer_id"', '"id"'],
    ],
    [
      'joins by USING',
      'SELECT * FROM orders JOIN customers USING (id)',
      ['customers" USING btree ("id")'],
    ],
    [
      'joins with a condition',
      'SELECT o.* FROM orders o, customers c WHERE o.customer_id = c.id AND c.country = $1',
      ['"customer_id"', '"country", "id"'],
    ],
    [
      'subqueries by IN',
      'SELECT * FROM customers WHERE id IN (SELECT customer_id FROM orders WHERE total > $1)',
      ['orders" USING btree ("customer_id")', '"customer_id", "total"'],
    ],
    [
      'correlated subqueries',
      'SELECT * FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.total > $1)',
      ['"customer_id", "total"'],
    ],
    [
      'LATERAL',
      'SELECT * FROM customers c, LATERAL (SELECT * FROM orders o WHERE o.customer_id = c.id ORDER BY placed_at DESC LIMIT 3) x',
      ['"customer_id", "placed_at"'],
    ],
    [
      'CTEs',
      'WITH recent AS (SELECT * FROM orders) SELECT * FROM recent WHERE customer_id = $1',
      ['"customer_id"'],
    ],
    [
      'subqueries in FROM',
      'SELECT * FROM (SELECT customer_id AS c FROM orders) x WHERE x.c = $1',
      ['"customer_id"'],
    ],
    [
      'views, with their own conditions',
      'SELECT * FROM open_orders WHERE buyer = $1',
      [`"customer_id") WHERE "status" = 'open'`, '"customer_id", "status"'],
    ],
    ['expressions of views', 'SELECT * FROM open_orders WHERE low = $1', ['("lower"("note"))']],
    [
      'both branches of a UNION',
      'SELECT * FROM everyone WHERE who = $1',
      ['"customer_id"', 'customers" USING btree ("id")'],
    ],
    [
      'branches of an OR',
      'SELECT * FROM orders WHERE customer_id = $1 OR total = $2',
      ['("customer_id")', '("total")'],
    ],
    ['expressions', 'SELECT * FROM customers WHERE lower(email) = $1', ['("lower"("email"))']],
    ['casts', 'SELECT * FROM orders WHERE placed_at::date = $1', ['(("placed_at")::"date")']],
    ['a part of JSON', `SELECT * FROM orders WHERE data->>'kind' = $1`, [`("data" ->> 'kind')`]],
    [
      'a path in JSON',
      `SELECT * FROM orders WHERE data->'a'->>'b' = $1`,
      [`(("data" -> 'a') ->> 'b')`],
    ],
    [
      'JSON that contains',
      'SELECT * FROM orders WHERE data @> $1',
      ['gin ("data" jsonb_path_ops)', 'gin ("data")'],
    ],
    ['keys of JSON', `SELECT * FROM orders WHERE data ? 'x'`, ['gin ("data")']],
    ['arrays that contain', 'SELECT * FROM orders WHERE tags && $1', ['gin ("tags")']],
    [
      'text search',
      `SELECT * FROM orders WHERE search @@ to_tsquery('simple', $1)`,
      ['gin ("search")'],
    ],
    ['ranges that overlap', 'SELECT * FROM orders WHERE during && $1', ['gist ("during")']],
    [
      'LIKE with a fixed start',
      `SELECT * FROM customers WHERE email LIKE 'ann%'`,
      ['("email" text_pattern_ops)'],
    ],
    [
      'LIKE without one',
      `SELECT * FROM customers WHERE email LIKE '%ann%'`,
      ['gin ("email" "public".gin_trgm_ops)'],
    ],
    [
      'ILIKE of any text',
      'SELECT * FROM customers WHERE email ILIKE $1',
      ['gin ("email" "public".gin_trgm_ops)'],
    ],
    [
      'flags',
      'SELECT * FROM orders WHERE paid AND customer_id = $1',
      ['("customer_id") WHERE "paid"'],
    ],
    [
      'negated flags',
      'SELECT * FROM orders WHERE NOT paid ORDER BY placed_at LIMIT 9',
      ['("placed_at") WHERE NOT "paid"'],
    ],
    [
      'categories',
      `SELECT * FROM orders WHERE status = 'open' AND customer_id = $1`,
      [`("customer_id") WHERE "status" = 'open'`],
    ],
    [
      'rows that are not deleted',
      'SELECT * FROM orders WHERE customer_id = $1 AND deleted_at IS NULL',
      ['("customer_id") WHERE "deleted_at" IS NULL'],
    ],
    [
      'quoted names in another schema',
      'SELECT * FROM "Shop"."Line Items" WHERE "orderId" = $1',
      ['"Shop"."Line Items" USING btree ("orderId")'],
    ],
    [
      'partitioned tables',
      'SELECT * FROM events WHERE kind = $1',
      ['"events" USING btree ("kind")'],
    ],
    ['UPDATE', 'UPDATE orders SET note = $1 WHERE customer_id = $2', ['"customer_id"']],
    [
      'UPDATE FROM',
      'UPDATE orders o SET note = $1 FROM customers c WHERE c.id = o.customer_id AND c.email = $2',
      ['"email"', '"customer_id"'],
    ],
    ['DELETE', 'DELETE FROM orders WHERE placed_at < $1', ['"placed_at"']],
    [
      'MERGE',
      'MERGE INTO orders o USING customers c ON o.customer_id = c.id WHEN MATCHED THEN DELETE',
      ['"customer_id"'],
    ],
    [
      'INSERT SELECT',
      'INSERT INTO customers (id) SELECT id FROM orders WHERE customer_id = $1',
      ['"customer_id"'],
    ],
    [
      'all columns that are read',
      'SELECT total FROM orders WHERE customer_id = $1',
      ['("customer_id") INCLUDE ("total")'],
    ],
  ])('proposes indexes for %s', async (_, sql, expected) => {
    const clauses = await clausesFor([sql]);
    for (const part of expected) expect(clauses).toContainEqual(expect.stringContaining(part));
  });

  it.each<[what: string, sql: string, unwanted: string]>([
    ['a column with one value', 'SELECT * FROM orders WHERE tenant = $1', 'tenant'],
    ['a type without an order', 'SELECT raw FROM orders WHERE raw = $1', '("raw"'],
    ['a table of a few pages', 'SELECT * FROM small WHERE a = $1', 'small'],
    ['what the primary key does', 'SELECT note FROM orders WHERE id = $1', '("id")'],
    [
      'conditions below a LIMIT',
      'SELECT * FROM (SELECT * FROM orders LIMIT 10) x WHERE x.total = $1',
      'total',
    ],
    [
      'values that differ from call to call',
      `SELECT * FROM customers WHERE email = 'ann@example.org' AND country IS NOT NULL`,
      'ann@',
    ],
    [
      'values within expressions',
      `SELECT * FROM orders WHERE note || 'ann@example.org' = $1`,
      'ann@',
    ],
    ['a comparison that no index helps', 'SELECT * FROM orders WHERE total <> $1', 'total'],
    ['whole rows', 'SELECT * FROM orders WHERE customer_id = $1', 'INCLUDE'],
  ])('proposes nothing for %s', async (_, sql, unwanted) => {
    const clauses = await clausesFor([sql]);
    expect(clauses.filter((clause) => clause.includes(unwanted))).toEqual([]);
  });

  it('finds tables by the search path, the first schema first', async () => {
    const twice = sampleCatalog(
      [
        { schema: 'app', name: 't', columns: [{ name: 'a' }] },
        { schema: 'public', name: 't', columns: [{ name: 'a' }] },
      ],
      { searchPath: '"$user", public' },
    );
    expect(await clausesFor(['SELECT * FROM t WHERE a = $1'], twice)).toEqual([
      '"app"."t" USING btree ("a")',
    ]);
  });

  it('takes no predicate whose literal differs between texts of a shape', async () => {
    const texts = ['open', 'sent'].map(
      (status) => `SELECT * FROM orders WHERE status = '${status}' AND customer_id = 5`,
    );
    expect((await clausesFor(texts)).filter((clause) => clause.includes('WHERE'))).toEqual([]);
  });

  it('names the statements that an index is for, and why', async () => {
    const { candidates } = await proposedFor([
      'SELECT * FROM orders WHERE customer_id = $1',
      'SELECT * FROM orders WHERE customer_id = $1 AND total > $2',
    ]);
    const shared = candidates.find(({ index }) =>
      candidateClause(index).endsWith('("customer_id")'),
    );
    expect(shared?.statements).toHaveLength(2);
    expect(shared?.reason).toBe('equality on "customer_id"');
  });

  it('stays within its bounds and says what it left out', async () => {
    const sql =
      'SELECT id FROM orders WHERE customer_id = $1 AND status = $2 AND total > $3 ORDER BY placed_at';
    const { candidates, notes } = await proposedFor([sql], catalog, { maxCandidates: 3 });
    expect(candidates).toHaveLength(3);
    expect(notes[0]).toContain('were not considered');
    const few = await proposedFor([sql], catalog, { maxPerStatement: 2, maxKeys: 1 });
    expect(few.candidates).toHaveLength(2);
    expect(few.candidates.every(({ index }) => index.keys.length === 1)).toBe(true);
  });

  it('tells what statements write', async () => {
    const { facts } = await proposedFor([
      'INSERT INTO customers VALUES ($1, $2, $3) ON CONFLICT (id) DO UPDATE SET email = excluded.email',
      'WITH gone AS (DELETE FROM orders WHERE total = $1 RETURNING id) SELECT * FROM gone',
    ]);
    const writes = [...facts.values()].flatMap((read) => read.writes);
    expect(writes.map(({ table, kind, columns }) => [table.name, kind, columns])).toEqual([
      ['customers', 'insert', []],
      ['customers', 'update', ['email']],
      ['orders', 'delete', []],
    ]);
  });
});

async function proposedFor(
  texts: readonly string[],
  of: Catalog = catalog,
  limits: Parameters<typeof proposeCandidates>[2] = {},
) {
  const statements = texts.map((text): RecordedStatement => ({ text, calls: 10, totalMs: 10 }));
  const workload = await joinWorkload([{ statements, since: undefined }], new Date());
  return proposeCandidates(of, workload, limits);
}

async function clausesFor(texts: readonly string[], of?: Catalog): Promise<readonly string[]> {
  const { candidates } = await proposedFor(texts, of);
  return candidates.map(({ index }) => candidateClause(index));
}
