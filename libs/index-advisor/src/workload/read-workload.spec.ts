import { describe, expect, it } from '@jest/globals';
import { joinWorkload } from './read-workload.js';
import type { RecordedStatement } from './workload.js';

const NOW = new Date('2026-02-01T00:00:00Z');
const daysAgo = (days: number) => new Date(NOW.getTime() - days * 86_400_000);

describe('joinWorkload', () => {
  it('joins statements that differ in spaces and literals', async () => {
    const { statements } = await joined([
      { text: 'SELECT * FROM a WHERE x = 1', calls: 2, totalMs: 4, rows: 2 },
      { text: 'select *   from a where x = 2', calls: 3, totalMs: 5, rows: 3 },
    ]);
    expect(statements).toHaveLength(1);
    expect(statements[0]).toMatchObject({ calls: 5, totalMs: 9, rows: 5, parameters: [] });
    expect(statements[0]?.variants).toHaveLength(1);
  });

  it('keeps what changes rows, and leaves out catalogs, utilities and what is no SQL', async () => {
    const texts = [
      'UPDATE a SET x = $1',
      'DELETE FROM a',
      'INSERT INTO a VALUES ($1)',
      'MERGE INTO a USING b ON a.x = b.x WHEN MATCHED THEN DELETE',
      'WITH gone AS (DELETE FROM a RETURNING x) SELECT x FROM gone',
      'SELECT * FROM pg_class',
      'SELECT * FROM information_schema.tables',
      'SELECT 1',
      'WITH t AS (SELECT oid FROM pg_type) SELECT * FROM t',
      'BEGIN',
      'VACUUM a',
      'SELECT FROM WHERE',
      'SELECT x FROM a; DELETE FROM a',
    ];
    const { statements } = await joined(texts.map((text) => statement(text)));
    expect(statements.map(({ sql }) => sql).toSorted()).toEqual(texts.slice(0, 5).toSorted());
  });

  it('counts calls that two sources saw once, and takes parameters from who knows them', async () => {
    const workload = await joinWorkload(
      [
        {
          since: daysAgo(10),
          statements: [{ text: 'SELECT * FROM a WHERE x = $1', calls: 1000, totalMs: 90 }],
        },
        {
          since: daysAgo(1),
          statements: [
            { text: 'SELECT * FROM a WHERE x = $1', calls: 50, totalMs: 9, parameters: ['v'] },
          ],
        },
      ],
      NOW,
    );
    expect(workload.days).toBe(10);
    expect(workload.statements).toMatchObject([{ calls: 1000, totalMs: 90, parameters: ['v'] }]);
  });

  it('does not use parameters of another number', async () => {
    const text = 'SELECT * FROM a WHERE x = $1 AND y = $2';
    const { statements } = await joined([{ ...statement(text), parameters: [1] }]);
    expect(statements[0]?.parameters).toBeUndefined();
  });

  it.each([
    ['SELECT * FROM a LIMIT $1', 'SELECT * FROM a LIMIT 7'],
    [
      'SELECT * FROM a WHERE ü = $1 LIMIT $2 OFFSET $3',
      'SELECT * FROM a WHERE ü = $1 LIMIT 7 OFFSET 0',
    ],
    [
      'SELECT * FROM a WHERE (SELECT x FROM b LIMIT $1) = $2',
      'SELECT * FROM a WHERE (SELECT x FROM b LIMIT 7) = $1',
    ],
    [
      'SELECT * FROM a WHERE at > now() - interval $1 AND x = $2',
      'SELECT * FROM a WHERE at > now() - ($1)::interval AND x = $2',
    ],
    [
      'SELECT * FROM a WHERE at > date $1 LIMIT $2',
      'SELECT * FROM a WHERE at > ($1)::date LIMIT 7',
    ],
    [
      'SELECT x::int, CAST($1 AS int) FROM a WHERE y = $2::text',
      'SELECT x::int, CAST($1 AS int) FROM a WHERE y = $2::text',
    ],
  ])('makes %s a statement that can be planned', async (text, planned) => {
    const { statements } = await joined([{ text, calls: 10, totalMs: 1, rows: 65 }]);
    expect(statements[0]?.sql).toBe(planned);
  });
});

function statement(text: string): RecordedStatement {
  return { text, calls: 1, totalMs: 1 };
}

function joined(statements: readonly RecordedStatement[]) {
  return joinWorkload([{ statements, since: undefined }], NOW);
}
