import type { CandidateIndex, CandidateKey, Statement } from '#libs/index-advisor';

/** A statement, and an index that may help it. */
export interface PlanningCase {
  readonly name: string;
  readonly statement: Statement;
  readonly candidate: CandidateIndex;
  /** Whether the real index needs ANALYZE, as indexes on expressions do. */
  readonly analyze?: boolean;
}

const index = (
  table: string,
  keys: readonly (string | CandidateKey)[],
  rest: Partial<CandidateIndex> = {},
): CandidateIndex => ({
  schema: 'Shop',
  table,
  method: 'btree',
  keys: keys.map((key) => (typeof key === 'string' ? { column: key } : key)),
  ...rest,
});

/** Look-ups, ranges, sorts, joins and changes, and every kind of index. */
export const PLANNING_CASES: readonly PlanningCase[] = [
  {
    name: 'an equality',
    statement: { sql: 'SELECT * FROM "Shop"."Orders" WHERE customer_id = $1', parameters: [771] },
    candidate: index('Orders', ['customer_id']),
  },
  {
    name: 'an equality for any value',
    statement: { sql: 'SELECT * FROM "Shop"."Orders" WHERE customer_id = $1' },
    candidate: index('Orders', ['customer_id']),
  },
  {
    name: 'a covering index',
    statement: { sql: `SELECT sku, quantity FROM "Shop".lines WHERE sku = 'sku-77'` },
    candidate: index('lines', ['sku'], { include: ['quantity'] }),
  },
  {
    name: 'an equality with a range and a sort backwards',
    statement: {
      sql: `SELECT * FROM "Shop"."Orders" WHERE state = 'paid' AND "placedAt" > '2023-06-01'
        ORDER BY "placedAt" DESC LIMIT 50`,
    },
    candidate: index('Orders', ['state', { column: 'placedAt', direction: 'desc' }]),
  },
  {
    name: 'a sort in two directions',
    statement: {
      sql: 'SELECT * FROM "Shop"."Orders" ORDER BY customer_id, "placedAt" DESC LIMIT 20',
    },
    candidate: index('Orders', ['customer_id', { column: 'placedAt', direction: 'desc' }]),
  },
  {
    name: 'a range of numbers',
    statement: { sql: 'SELECT id FROM "Shop"."Orders" WHERE total BETWEEN 500 AND 502' },
    candidate: index('Orders', ['total']),
  },
  {
    name: 'a partial index',
    statement: {
      sql: `SELECT * FROM "Shop".returned WHERE "placedAt" > '2024-01-01' ORDER BY "placedAt"`,
    },
    candidate: index('Orders', ['placedAt'], { where: `state = 'returned'` }),
  },
  {
    name: 'a partial index on values that are present',
    statement: { sql: `SELECT id FROM "Shop"."Orders" WHERE note = 'x'` },
    candidate: index('Orders', ['note'], { where: 'note IS NOT NULL' }),
  },
  {
    name: 'an expression',
    statement: {
      sql: 'SELECT id FROM "Shop".customers WHERE lower(email::text) = $1',
      parameters: ['u77@example.org'],
    },
    candidate: index('customers', [{ expression: 'lower(email::text)' }]),
    analyze: true,
  },
  {
    name: 'a path into a document',
    statement: { sql: `SELECT id FROM "Shop".customers WHERE profile ->> 'tier' = '17'` },
    candidate: index('customers', [{ expression: `profile ->> 'tier'` }]),
    analyze: true,
  },
  {
    name: 'a prefix of a text',
    statement: { sql: `SELECT id FROM "Shop".customers WHERE name LIKE 'Bob 12%'` },
    candidate: index('customers', [{ column: 'name', opclass: 'text_pattern_ops' }]),
  },
  {
    name: 'a GIN index on arrays',
    statement: { sql: `SELECT id FROM "Shop"."Orders" WHERE tags @> ARRAY['u77']` },
    candidate: index('Orders', ['tags'], { method: 'gin' }),
  },
  {
    name: 'a BRIN index on times',
    statement: {
      sql: `SELECT count(*) FROM "Shop"."Orders" WHERE "placedAt" >= '2023-03-01'
        AND "placedAt" < '2023-03-02'`,
    },
    candidate: index('Orders', ['placedAt'], { method: 'brin' }),
  },
  {
    name: 'a hash index',
    statement: { sql: `SELECT * FROM "Shop".lines WHERE sku = 'sku-12'` },
    candidate: index('lines', ['sku'], { method: 'hash' }),
  },
  {
    name: 'a join that looks rows up',
    statement: {
      sql: `SELECT c.name, o.total FROM "Shop".customers c
        JOIN "Shop"."Orders" o ON o.customer_id = c.id WHERE c.created_at < '2020-01-03'`,
    },
    candidate: index('Orders', ['customer_id']),
  },
  {
    name: 'a join of three tables',
    statement: {
      sql: `SELECT c.country, sum(l.quantity) FROM "Shop".lines l
        JOIN "Shop"."Orders" o ON o.id = l.order_id JOIN "Shop".customers c ON c.id = o.customer_id
        WHERE l.sku = 'sku-9' GROUP BY c.country`,
    },
    candidate: index('lines', ['sku']),
  },
  {
    name: 'partitions',
    statement: { sql: 'SELECT count(*) FROM "Shop".visits WHERE visitor = 4' },
    candidate: index('visits', ['visitor', 'at']),
  },
  {
    name: 'an update',
    statement: { sql: `UPDATE "Shop"."Orders" SET total = 0 WHERE note = 'gone'` },
    candidate: index('Orders', ['note']),
  },
  {
    name: 'groups that a statistics object counts',
    statement: {
      sql: `SELECT sku, quantity, count(*) FROM "Shop".lines WHERE sku < 'sku-12'
        GROUP BY sku, quantity`,
    },
    candidate: index('lines', ['sku', 'quantity']),
  },
  {
    name: 'columns that depend on each other',
    statement: { sql: `SELECT * FROM "Shop".stock WHERE depot = 7 AND region = 2` },
    candidate: index('stock', ['region', 'depot']),
  },
  {
    name: 'groups in the order of an index',
    statement: { sql: 'SELECT customer_id, count(*) FROM "Shop"."Orders" GROUP BY customer_id' },
    candidate: index('Orders', ['customer_id']),
  },
];
