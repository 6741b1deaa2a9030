import type { StatementFacts } from '../candidates/analyse-statement.js';
import type { Candidate } from '../candidates/candidate.js';
import type { TableUse } from '../candidates/table-use.js';
import { type CandidateIndex, quoteName } from '../what-if/candidate-index.js';

/**
 * The numbers of the candidates that a statement might use: those made for it, those whose first
 * key it asks for, and those that hold all it reads of a table.
 */
export function relevantCandidates(
  fingerprint: string,
  { uses }: StatementFacts,
  candidates: readonly Candidate[],
): readonly number[] {
  return candidates.flatMap(({ index, statements }, number) => {
    const isRelevant =
      statements.includes(fingerprint) ||
      uses.some((use) => isOf(index, use) && (asksFor(use, index) || isCovered(use, index)));
    return isRelevant ? [number] : [];
  });
}

function isOf({ schema, table }: CandidateIndex, use: TableUse): boolean {
  return use.table.schema === schema && use.table.name === table;
}

function asksFor(use: TableUse, { keys: [first] }: CandidateIndex): boolean {
  if (first === undefined) return false;
  const texts =
    first.column === undefined
      ? [first.expression, `(${first.expression})`]
      : [quoteName(first.column)];
  const wanted = [
    ...[...use.conditions, ...use.alternatives.flat()].map(({ key }) => key.sql),
    ...use.orders.flatMap(({ terms }) => terms.map(({ key }) => key.sql)),
  ];
  return wanted.some((sql) => texts.includes(sql));
}

function isCovered({ columns }: TableUse, { keys, include = [], method }: CandidateIndex): boolean {
  const stored = new Set([...keys.map(({ column }) => column), ...include]);
  return method === 'btree' && columns.size > 0 && [...columns].every((name) => stored.has(name));
}
