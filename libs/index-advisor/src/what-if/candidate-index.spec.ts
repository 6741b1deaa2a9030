import { describe, expect, it } from '@jest/globals';
import { type CandidateIndex, candidateClause, candidateIdentity } from './candidate-index.js';

const candidate: CandidateIndex = {
  schema: 'Shop',
  table: 'Orders "old"',
  method: 'btree',
  keys: [{ column: 'state' }],
};

describe('the clause of a candidate', () => {
  it('quotes every name', () => {
    expect(candidateClause(candidate)).toBe('"Shop"."Orders ""old""" USING btree ("state")');
  });

  it('has order, operator class, collation, included columns and predicate', () => {
    const clause = candidateClause({
      ...candidate,
      keys: [
        { column: 'placedAt', direction: 'desc', nulls: 'last' },
        { expression: 'lower(name)', opclass: 'text_pattern_ops', collation: '"C"' },
      ],
      include: ['total'],
      where: `state = 'new'`,
    });

    expect(clause).toContain(
      `("placedAt" DESC NULLS LAST, (lower(name)) COLLATE "C" text_pattern_ops) ` +
        `INCLUDE ("total") WHERE state = 'new'`,
    );
  });

  it('is the same however defaults are written', () => {
    const written = { column: 'state', direction: 'asc', nulls: 'last' } as const;
    expect(candidateIdentity({ ...candidate, keys: [written], include: [] })).toBe(
      candidateIdentity(candidate),
    );
  });
});
