import { Turns } from '#libs/core';
import type { Catalog, Table } from '../catalog/catalog.js';
import { candidateIdentity } from '../what-if/candidate-index.js';
import { loadGrammar } from '../workload/grammar.js';
import type { Workload, WorkloadStatement } from '../workload/workload.js';
import { analyseStatement, type StatementFacts } from './analyse-statement.js';
import type { Candidate, CandidateLimits, Proposal } from './candidate.js';
import { isServed } from './existing-indexes.js';
import { proposeOrdered } from './propose-ordered.js';
import { proposeSpecial } from './propose-special.js';
import { RelationNames } from './relation-names.js';

/** What the statements of a workload say, and the indexes that might help them. */
export interface ProposedCandidates {
  readonly candidates: readonly Candidate[];
  /** By fingerprint, of the statements that could be read. */
  readonly facts: ReadonlyMap<string, StatementFacts>;
  /** What was left out, for people. */
  readonly notes: readonly string[];
}

const DEFAULTS: Required<CandidateLimits> = {
  maxPerStatement: 60,
  maxCandidates: 500,
  maxKeys: 4,
  maxIncluded: 6,
  minTablePages: 8,
};

/**
 * Proposes indexes for a workload by parsing its statements: for conditions, joins, orders and
 * groups, through views, subqueries and CTEs. What an existing index does already is left out, and
 * so are columns that say nothing. The statements that took most of the time come first.
 */
export async function proposeCandidates(
  catalog: Catalog,
  { statements }: Workload,
  given: CandidateLimits = {},
): Promise<ProposedCandidates> {
  const limits = { ...DEFAULTS, ...given };
  const grammar = await loadGrammar();
  const names = new RelationNames(catalog, grammar);
  const analyse = (sql: string, parameters?: readonly unknown[]) => {
    const [parsed] = grammar.parse(sql) ?? [];
    return parsed === undefined ? undefined : analyseStatement(parsed, names, parameters);
  };
  const facts = new Map<string, StatementFacts>();
  const found = new Map<string, { candidate: Proposal; statements: Set<string> }>();
  let leftOut = 0;
  const turns = new Turns();
  for (const statement of statements) {
    if (turns.isOver) await turns.giveWay();
    const read = analyse(statement.sql, statement.parameters);
    if (read === undefined) continue;
    facts.set(statement.fingerprint, read);
    const isConstant = constantsOf(statement, read, analyse);
    for (const proposed of proposalsOf(read, catalog, isConstant, limits)) {
      const identity = candidateIdentity(proposed.index);
      const known = found.get(identity);
      if (known !== undefined) known.statements.add(statement.fingerprint);
      else if (found.size >= limits.maxCandidates) leftOut += 1;
      else
        found.set(identity, { candidate: proposed, statements: new Set([statement.fingerprint]) });
    }
  }
  return {
    candidates: [...found.values()].map(({ candidate: { index, reason }, statements: served }) => ({
      index,
      reason,
      statements: Array.from(served),
    })),
    facts,
    notes:
      leftOut === 0
        ? []
        : [`${leftOut} possible indexes of statements that take little time were not considered.`],
  };
}

function proposalsOf(
  { uses }: StatementFacts,
  catalog: Catalog,
  isConstant: (predicate: string) => boolean,
  limits: Required<CandidateLimits>,
): readonly Proposal[] {
  const lists = uses
    .filter(({ table }) => isWorthIndexing(table, limits))
    .map((use) => {
      const all = [...proposeOrdered(use, isConstant, limits), ...proposeSpecial(use, catalog)];
      return all.filter(({ index }) => !isServed(use.table, index));
    });
  // Of many tables each gets its best first.
  const longest = Math.max(0, ...lists.map(({ length }) => length));
  const mixed = Array.from({ length: longest }, (_, position) =>
    lists.flatMap((list) => list[position] ?? []),
  ).flat();
  const byIdentity = new Map<string, Proposal>();
  for (const proposed of mixed) {
    const identity = candidateIdentity(proposed.index);
    if (!byIdentity.has(identity)) byIdentity.set(identity, proposed);
  }
  return [...byIdentity.values()].slice(0, limits.maxPerStatement);
}

function isWorthIndexing({ kind, size }: Table, { minTablePages }: Required<CandidateLimits>) {
  return kind === 'partitioned' || size.pages >= minTablePages;
}

/** Literals count as constant when all texts of the shape have the same. */
function constantsOf(
  { variants }: WorkloadStatement,
  read: StatementFacts,
  analyse: (sql: string) => StatementFacts | undefined,
): (predicate: string) => boolean {
  const sets = [read, ...variants.map((sql) => analyse(sql))].map(
    (facts) => new Set(facts === undefined ? [] : predicatesOf(facts)),
  );
  return (predicate) => sets.every((predicates) => predicates.has(predicate));
}

function predicatesOf({ uses }: StatementFacts): readonly string[] {
  return uses
    .flatMap(({ conditions, alternatives }) => [...conditions, ...alternatives.flat()])
    .flatMap(({ constant }) => constant ?? []);
}
