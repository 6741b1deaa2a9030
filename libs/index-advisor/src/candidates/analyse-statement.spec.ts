import { describe, expect, it } from '@jest/globals';
import { sampleCatalog } from './sample-catalog.js';
import { clausesFor, proposedFor } from './sample-shop.js';

describe('proposeCandidates', () => {
  it.each<[what: string, sql: string, expected: readonly string[]]>([
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
  ])('proposes indexes for %s', async (_, sql, expected) => {
    const clauses = await clausesFor([sql]);
    for (const part of expected) expect(clauses).toContainEqual(expect.stringContaining(part));
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
