import type { Catalog, Table } from '../catalog/catalog.js';
import type { StatementFacts } from '../candidates/analyse-statement.js';
import type { Candidate } from '../candidates/candidate.js';
import { candidateIdentity } from '../what-if/candidate-index.js';
import type { WhatIfPlanner } from '../what-if/what-if-planner.js';
import type { WorkloadStatement } from '../workload/workload.js';
import { indexName } from './index-name.js';
import { mergeCandidates } from './merge-candidates.js';
import { PlannedCostModel } from './planned-cost-model.js';
import { PlanSearch } from './plan-search.js';
import type { SavedProblem } from './problem.js';
import { relevantCandidates } from './relevant-candidates.js';
import type { RowWrites } from './row-writes.js';
import { selectIndexes } from './select-indexes.js';
import { writeCosts } from './write-costs.js';

/** A statement with what parsing said of it. */
export interface ReadStatement {
  readonly statement: WorkloadStatement;
  readonly facts: StatementFacts;
}

/** A statement as a query of the problem. */
export interface PlannedStatement extends ReadStatement {
  /** For the cost model. */
  readonly number: number;
  readonly search: PlanSearch;
}

/** What a problem of selection is made of; its numbers stand for these candidates and statements. */
export interface BuiltProblem {
  readonly candidates: readonly Candidate[];
  readonly statements: readonly PlannedStatement[];
  /** By number for the model: those that could not be planned too. */
  readonly asked: readonly ReadStatement[];
  readonly model: PlannedCostModel;
  /** The problem as far as plans are known now. */
  problem(): SavedProblem;
}

export interface BuildOptions {
  readonly catalog: Catalog;
  readonly planner: WhatIfPlanner;
  readonly statements: readonly ReadStatement[];
  readonly candidates: readonly Candidate[];
  readonly writes: ReadonlyMap<Table, RowWrites>;
  readonly budgetBytes: number;
  /** When the share of the time given is over. */
  readonly isOver: (share: number) => boolean;
  readonly onProgress: (step: 'screening' | 'planning', done: number) => void;
}

/** Plans for one statement when candidates are screened, and when the problem is built. */
const SCREENING_CALLS = 12;
const PLANNING_CALLS = 40;
const SCREENING_SHARE = 0.35;
const PLANNING_SHARE = 0.6;
const MERGE_LIMITS = { maxKeys: 4, maxIncluded: 8, maxMerged: 80 };
/** Time to find out which indexes are worth merging. */
const FIRST_SELECTION_MS = 1500;
/** An index that saves less than this share of the whole workload is a trifle. */
const TRIFLE = 0.0005;
const PAGE_BYTES = 8192;

/**
 * Plans the statements with their candidates: first each with its own, to see which are used at
 * all; then with all that are left; then with what can be merged of those that would be chosen.
 */
export async function buildProblem(options: BuildOptions): Promise<BuiltProblem> {
  const { planner, statements } = options;
  const candidates: Candidate[] = [...(await screen(options))];
  const model = modelOf(planner, statements, candidates);
  let planned = await planStatements(options, model, candidates, []);
  const merged = await mergedOf(options, candidates, planned);
  candidates.push(...merged);
  model.add(merged.map(({ index }) => index));
  planned = await planStatements(options, model, candidates, planned);
  const costs = costsOf(options, candidates, planned);
  return {
    candidates,
    statements: planned,
    asked: statements,
    model,
    problem: () => ({ ...problemOf(options.budgetBytes, planned), ...costs }),
  };
}

/** Candidates that PostgreSQL does not take, by identity. */
export async function refusedBy(
  planner: WhatIfPlanner,
  candidates: readonly Candidate[],
): Promise<ReadonlySet<string>> {
  if (candidates.length === 0) return new Set();
  const refused = await planner.prepare(candidates.map(({ index }) => index));
  return new Set(refused.map(({ candidate }) => candidateIdentity(candidate)));
}

/** The candidates that some plan uses and gains by. */
async function screen(options: BuildOptions): Promise<readonly Candidate[]> {
  const { planner, statements, candidates, isOver } = options;
  const model = modelOf(planner, statements, candidates);
  const used = new Set<number>();
  for (const [number, { statement }] of statements.entries()) {
    options.onProgress('screening', number / statements.length);
    const own = candidates.flatMap((candidate, position) =>
      candidate.statements.includes(statement.fingerprint) ? [position] : [],
    );
    if (own.length === 0) continue;
    const search = await PlanSearch.start(model, number, own);
    await search?.advance(SCREENING_CALLS, () => isOver(SCREENING_SHARE));
    for (const plan of search?.found.plans ?? []) for (const index of plan.indexes) used.add(index);
  }
  return candidates.filter((_, position) => used.has(position));
}

/** Searches plans of each statement; goes on with what was planned where no candidate is new. */
async function planStatements(
  { statements, isOver, onProgress }: BuildOptions,
  model: PlannedCostModel,
  candidates: readonly Candidate[],
  before: readonly PlannedStatement[],
): Promise<readonly PlannedStatement[]> {
  const planned: PlannedStatement[] = [];
  const known = new Map(before.map((one) => [one.number, one]));
  const start = before.length === 0 ? 0 : 0.5;
  for (const [number, { statement, facts }] of statements.entries()) {
    onProgress('planning', start + number / statements.length / 2);
    const relevant = relevantCandidates(statement.fingerprint, facts, candidates);
    const old = known.get(number);
    if (old?.search.indexes.length === relevant.length) {
      planned.push(old);
      continue;
    }
    const search = await PlanSearch.start(model, number, relevant);
    if (search === undefined) continue;
    await search.advance(PLANNING_CALLS, () => isOver(PLANNING_SHARE));
    planned.push({ statement, facts, number, search });
  }
  return planned;
}

/** Merges of what would be chosen within the budget, and without one. */
async function mergedOf(
  options: BuildOptions,
  candidates: readonly Candidate[],
  planned: readonly PlannedStatement[],
): Promise<readonly Candidate[]> {
  const costs = costsOf(options, candidates, planned);
  const chosen = new Set<number>();
  for (const budgetBytes of [options.budgetBytes, Number.MAX_SAFE_INTEGER]) {
    const problem = { ...problemOf(budgetBytes, planned), ...costs };
    const { indexes } = await selectIndexes(withoutFloors(problem), {
      timeMs: FIRST_SELECTION_MS,
    });
    for (const index of indexes) chosen.add(index);
  }
  const worth = candidates.filter((_, number) => chosen.has(number));
  const known = new Set(candidates.map(({ index }) => candidateIdentity(index)));
  const merged = mergeCandidates(worth, MERGE_LIMITS).filter(
    ({ index }) => !known.has(candidateIdentity(index)),
  );
  const refused = await refusedBy(options.planner, merged);
  return merged.filter(({ index }) => !refused.has(candidateIdentity(index)));
}

/** The problem as if all plans were known. */
export function withoutFloors(problem: SavedProblem): SavedProblem {
  const queries = problem.queries.map(({ name, weight, baseCost, plans }) => ({
    name,
    weight,
    baseCost,
    plans,
  }));
  return { ...problem, queries };
}

function problemOf(budgetBytes: number, planned: readonly PlannedStatement[]) {
  const queries = planned.map(({ statement, search }) => {
    const { baseCost, plans, floorCost } = search.found;
    const { fingerprint, calls } = statement;
    const query = { name: fingerprint, weight: calls, baseCost, plans };
    return floorCost === undefined ? query : Object.assign(query, { floorCost });
  });
  return { version: 1 as const, budgetBytes, queries };
}

function modelOf(
  planner: WhatIfPlanner,
  statements: readonly ReadStatement[],
  candidates: readonly Candidate[],
): PlannedCostModel {
  return new PlannedCostModel(
    planner,
    statements.map(({ statement: { sql, parameters } }) =>
      parameters === undefined || parameters.length === 0 ? { sql } : { sql, parameters },
    ),
    candidates.map(({ index }) => index),
  );
}

function costsOf(
  { catalog, planner, writes }: BuildOptions,
  candidates: readonly Candidate[],
  planned: readonly PlannedStatement[],
): Pick<SavedProblem, 'indexes' | 'sharedCosts'> {
  const whole = planned.reduce(
    (sum, { statement, search }) => sum + statement.calls * search.baseCost,
    0,
  );
  const sized = candidates.map(({ index }) => {
    const table = catalog.tables.find(
      ({ schema, name }) => schema === index.schema && name === index.table,
    );
    if (table === undefined) throw new Error(`No table ${index.schema}.${index.table}.`);
    return { index, table, sizeBytes: planner.sizeBytesOf(index) };
  });
  const { own, shared } = writeCosts(catalog, sized, writes);
  return {
    indexes: sized.map(({ index, sizeBytes }, number) => ({
      name: indexName(index),
      sizeBytes,
      // Vacuum and backups read every page, so of two that serve alike the smaller one is better.
      writeCost: (own[number] ?? 0) + sizeBytes / PAGE_BYTES + whole * TRIFLE,
    })),
    sharedCosts: shared,
  };
}
