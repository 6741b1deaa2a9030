import { describe, expect, it } from '@jest/globals';
import type { CandidateIndex } from './candidate-index.js';
import { type ExplainedNode, parsePlan } from './parse-plan.js';

const node = (rest: Partial<ExplainedNode>): ExplainedNode => ({
  'Node Type': 'Index Scan',
  'Startup Cost': 0.3,
  'Total Cost': 8.3,
  'Plan Rows': 1,
  'Plan Width': 8,
  ...rest,
});
const candidate: CandidateIndex = {
  schema: 'public',
  table: 'orders',
  method: 'btree',
  keys: [{ column: 'id' }],
};

describe('a plan', () => {
  it('tells existing indexes from candidates, each once', () => {
    const explained = node({
      'Node Type': 'Nested Loop',
      Plans: [
        node({ 'Index Name': 'orders_pkey', Schema: 'public', 'Relation Name': 'orders' }),
        node({ 'Index Name': 'orders_pkey' }),
        node({ 'Index Name': 'what_if_1' }),
        node({ 'Index Name': 'what_if_1' }),
      ],
    });
    const plan = parsePlan(explained, (name) => (name === 'what_if_1' ? candidate : undefined));

    expect(plan.usedIndexes).toEqual(['orders_pkey']);
    expect(plan.usedCandidates).toEqual([candidate]);
    expect(plan.root.children[0]).toEqual({
      nodeType: 'Index Scan',
      index: 'orders_pkey',
      relation: { schema: 'public', name: 'orders' },
      startupCost: 0.3,
      totalCost: 8.3,
      rows: 1,
      width: 8,
      children: [],
    });
  });
});
