import { describe, expect, it } from '@jest/globals';
import { sampleCatalog } from '../candidates/sample-catalog.js';
import type { CandidateIndex } from '../what-if/candidate-index.js';
import type { RowWrites } from './row-writes.js';
import { writeCosts } from './write-costs.js';

const catalog = sampleCatalog([
  {
    name: 'orders',
    columns: [{ name: 'id' }, { name: 'status', type: 'text' }, { name: 'note', type: 'text' }],
    indexes: [{ name: 'orders_pkey', columns: ['id'], isUnique: true }],
    updates: 1000,
    hotUpdates: 800,
  },
]);

describe('writeCosts', () => {
  it('grows with rows that are written and with the size of the index', () => {
    const [once] = costs({ inserts: 1000 }).own;
    expect(costs({ inserts: 2000 }).own[0]).toBeCloseTo((once ?? 0) * 2);
    expect(costs({ inserts: 1000 }, [on('status')], 1e10).own[0]).toBeGreaterThan((once ?? 0) * 2);
    expect(costs({}).own).toEqual([0]);
  });

  it('charges updates of an indexed column in full, and once for the HOT updates they lose', () => {
    const updates = [{ columns: ['status'], rows: 1000 }];
    const { own, shared } = costs({ updates }, [on('status'), on('note'), on('id', 'status')]);
    // Of updates that touch no index, 800 of 1000 are HOT and write no entry.
    expect((own[1] ?? 0) / (own[0] ?? 1)).toBeCloseTo(0.2);
    expect(shared).toHaveLength(1);
    expect(shared[0]?.indexes).toEqual([0, 2]);
    expect(shared[0]?.cost).toBeGreaterThan(0);
  });

  it('loses no HOT updates where an index stands on the column already', () => {
    expect(costs({ updates: [{ columns: ['id'], rows: 10 }] }, [on('id', 'note')]).shared).toEqual(
      [],
    );
  });

  it('sees columns in expressions and predicates', () => {
    const updates = [{ columns: ['status'], rows: 10 }];
    const expression = { ...on('note'), keys: [{ expression: 'lower("status")' }] };
    const partial = { ...on('note'), where: `"status" = 'open'` };
    const text = { ...on('note'), where: `"note" = 'status'` };
    const { shared } = costs({ updates }, [expression, partial, text]);
    expect(shared[0]?.indexes).toEqual([0, 1]);
  });
});

function on(...columns: readonly string[]): CandidateIndex {
  const keys = columns.map((column) => ({ column }));
  return { schema: 'public', table: 'orders', method: 'btree', keys };
}

function costs(writes: Partial<RowWrites>, indexes = [on('status')], sizeBytes = 1e7) {
  const [table] = catalog.tables;
  if (table === undefined) throw new Error('No table.');
  const all: RowWrites = { inserts: 0, deletes: 0, updates: [], ...writes };
  const sized = indexes.map((index) => ({ index, table, sizeBytes }));
  return writeCosts(catalog, sized, new Map([[table, all]]));
}
