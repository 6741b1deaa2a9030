import { describe, expect, it } from '@jest/globals';
import { clausesFor } from './sample-shop.js';

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
      'all columns that are read',
      'SELECT total FROM orders WHERE customer_id = $1',
      ['("customer_id") INCLUDE ("total")'],
    ],
  ])('proposes indexes for %s', async (_, sql, expected) => {
    const clauses = await clausesFor([sql]);
    for (const part of expected) expect(clauses).toContainEqual(expect.stringContaining(part));
  });

  it('takes no predicate whose literal differs between texts of a shape', async () => {
    const texts = ['open', 'sent'].map(
      (status) => `SELECT * FROM orders WHERE status = '${status}' AND customer_id = 5`,
    );
    expect((await clausesFor(texts)).filter((clause) => clause.includes('WHERE'))).toEqual([]);
  });
});
