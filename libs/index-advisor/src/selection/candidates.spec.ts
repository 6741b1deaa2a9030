import { describe, expect, it } from '@jest/globals';
import { supersededBy } from '../candidates/existing-indexes.js';
import { sampleCatalog } from '../candidates/sample-catalog.js';
import { type CandidateIndex, candidateClause } from '../what-if/candidate-index.js';
import { createStatement, indexName } from './index-name.js';
import { mergeCandidates } from './merge-candidates.js';

const LIMITS = { maxKeys: 3, maxIncluded: 2, maxMerged: 10 };

describe('merging', () => {
  it('makes one index of two, by keys and by what is stored', () => {
    expect(merged([on(['a', 'b']), on(['a', 'c'])])).toEqual([
      '("a", "b") INCLUDE ("c")',
      '("a", "b", "c")',
      '("a", "c") INCLUDE ("b")',
      '("a", "c", "b")',
    ]);
    expect(merged([on(['a'], ['c']), on(['a', 'b'])])).toContain('("a", "b") INCLUDE ("c")');
  });

  it('leaves apart what is on other tables, of other kinds or of other rows', () => {
    const [a, b] = [on(['a']), on(['a', 'b'], ['c'])];
    expect(merged([a, b])).not.toEqual([]);
    expect(merged([a, on(['b'])])).toEqual([]);
    expect(merged([a, { ...b, table: 'u' }])).toEqual([]);
    expect(merged([a, { ...b, method: 'gin' }])).toEqual([]);
    expect(merged([a, { ...b, where: '"c"' }])).toEqual([]);
  });

  it('makes nothing wider than the limits', () => {
    expect(merged([on(['a', 'b']), on(['a', 'c', 'd'])])).toEqual([
      '("a", "b") INCLUDE ("c", "d")',
      '("a", "c", "d") INCLUDE ("b")',
    ]);
  });
});

describe('names', () => {
  it('are the same for the same index, different for others, and fit PostgreSQL', () => {
    const long = on(['Ein sehr langer Name', 'b'.repeat(60)]);
    expect(indexName(long)).toBe(indexName({ ...long }));
    expect(indexName(long)).not.toBe(indexName({ ...long, where: '"a"' }));
    expect(indexName(long)).toMatch(/^ix_t_ein_sehr_langer_name_b+_[0-9a-f]{8}$/);
    expect(indexName(long).length).toBeLessThanOrEqual(63);
  });

  it('stand in statements that lock out no writes, where PostgreSQL can', () => {
    const index = on(['a'], ['b']);
    expect(createStatement(index, false)).toMatch(
      /^CREATE INDEX CONCURRENTLY "ix_t_a_\w{8}" ON "public"."t" USING btree \("a"\) INCLUDE \("b"\)$/,
    );
    expect(createStatement(index, true)).toMatch(/^CREATE INDEX "ix/);
  });
});

describe('superseding', () => {
  it('names indexes whose keys come first in the new one, but none that is unique', () => {
    const { tables } = sampleCatalog([
      {
        name: 't',
        columns: [{ name: 'a' }, { name: 'b' }],
        indexes: [
          { name: 'on_a', columns: ['a'] },
          { name: 'on_b', columns: ['b'] },
          { name: 'unique_a', columns: ['a'], isUnique: true },
        ],
      },
    ]);
    const [table] = tables;
    if (table === undefined) throw new Error('No table.');
    expect(supersededBy(table, on(['a', 'b'])).map(({ name }) => name)).toEqual(['on_a']);
    expect(supersededBy(table, { ...on(['a', 'b']), where: '"b"' })).toEqual([]);
  });
});

function on(columns: readonly string[], include?: readonly string[]): CandidateIndex {
  const keys = columns.map((column) => ({ column }));
  const stored = include === undefined ? {} : { include };
  return { schema: 'public', table: 't', method: 'btree', keys, ...stored };
}

function merged(indexes: readonly CandidateIndex[]): readonly string[] {
  const candidates = indexes.map((index) => ({ index, reason: '', statements: [] }));
  return mergeCandidates(candidates, LIMITS)
    .map(({ index }) => candidateClause(index).replace(/^.*? USING \w+ /, ''))
    .toSorted();
}
