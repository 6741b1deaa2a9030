import { describe, expect, it } from '@jest/globals';
import { candidateClause } from '../what-if/candidate-index.js';
import { clausesFor, proposedFor, shop } from './sample-shop.js';

describe('proposeCandidates', () => {
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
    const { candidates, notes } = await proposedFor([sql], shop, { maxCandidates: 3 });
    expect(candidates).toHaveLength(3);
    expect(notes[0]).toContain('were not considered');
    const few = await proposedFor([sql], shop, { maxPerStatement: 2, maxKeys: 1 });
    expect(few.candidates).toHaveLength(2);
    expect(few.candidates.every(({ index }) => index.keys.length === 1)).toBe(true);
  });
});
