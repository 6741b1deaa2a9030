import { describe, expect, it } from '@jest/globals';
import { clausesFor } from './sample-shop.js';

describe('proposeCandidates', () => {
  it.each<[what: string, sql: string, expected: readonly string[]]>([
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
  ])('proposes indexes for %s', async (_, sql, expected) => {
    const clauses = await clausesFor([sql]);
    for (const part of expected) expect(clauses).toContainEqual(expect.stringContaining(part));
  });
});
