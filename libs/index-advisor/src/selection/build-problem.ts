import type { Catalog, Table } from '../catalog/catalog.js';
import type { StatementFacts } from '../candidates/analyse-statement.js';
import type { Candidate } from '../candidates/candidate.js';
import { candidateIdentity } from '../what-if/candidate-index.js';
import type { WhatIfPlanner } from '../what-if/what-if-planner.js';
import type { WorkloadStatement } from '../workload/workload.js';
import { enumeratePlans, type QueryPlans } from './enumerate-plans.js';
import { indexName } from './index-name.js';
import { mergeCandidates } from './merge-candidates.js';
import { PlannedCostModel } from './planned-cost-model.js';
import type { SavedProblem } from './problem.js';
import { relevantCandidates } from './relevant-candidates.js';
import type { RowWrites } from './row-writes.js';
import { writeCosts } from './write-costs.js';

/** A statement with what parsing said of it. */
export interface ReadStatement {
  readonly statement: WorkloadStatement;
  readonly facts: StatementFacts;
}

/** A problem of selection with what its numbers stand for. */
export interface BuiltProblem {
  readonly problem: SavedProblem;
  readonly candidates: readonly Candidate[];
  /** By query of the problem. */
  readonly statements: readonly ReadStatement[];
  /** By number for the model: those that could not be planned too. */
  readonly asked: readonly ReadStatement[];
  readonly model: PlannedCostModel;
  /** By query of the problem: its number for the model. */
  readonly numbers: readonly number[];
  readonly relevant: readonly (readonly number[])[];
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
const PLANNING_CALLS = 80;
const SCREENING_SHARE = 0.35;
const PLANNING_SHARE = 0.75;
/** Candidates that a wide table of many statements may have. */
const MERGE_LIMITS = { maxKeys: 4, maxIncluded: 8, maxMerged: 150 };
/** An index that saves less than this share of the whole workload is a trifle. */
const TRIFLE = 0.0005;

/**
 * Plans the statements with their candidates: first each with its own, to see which are used at
 * all; then with the ones that are left and what can be merged of them. The result has all that
 * the selection needs.
 */
export async function buildProblem(options: BuildOptions): Promise<BuiltProblem> {
  const { planner, statements } = options;
  const used = await screen(options);
  const merged = mergeCandidates(used, MERGE_LIMITS);
  const refused = await refusedBy(planner, merged);
  const candidates = [
    ...used,
    ...merged.filter(({ index }) => !refused.has(candidateIdentity(index))),
  ];
  const model = modelOf(planner, statements, candidates);
  const planned: { plans: QueryPlans; number: number; relevant: readonly number[] }[] = [];
  for (const [number, { statement, facts }] of statements.entries()) {
    options.onProgress('planning', number / statements.length);
    const relevant = relevantCandidates(statement.fingerprint, facts, candidates);
    const plans = await enumeratePlans(model, number, relevant, {
      maxCalls: PLANNING_CALLS,
      isOver: () => options.isOver(PLANNING_SHARE),
    });
    if (plans !== undefined) planned.push({ plans, number, relevant });
  }
  const queries = planned.map(({ plans, number }) => {
    const { fingerprint = '', calls = 0 } = statements[number]?.statement ?? {};
    return { name: fingerprint, weight: calls, ...plans };
  });
  return {
    problem: {
      version: 1,
      budgetBytes: options.budgetBytes,
      queries,
      ...costsOf(options, candidates, queries),
    },
    candidates,
    statements: planned.flatMap(({ number }) => statements[number] ?? []),
    asked: statements,
    model,
    numbers: planned.map(({ number }) => number),
    relevant: planned.map(({ relevant }) => relevant),
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
  const { planner, statements, candidates } = options;
  const model = modelOf(planner, statements, candidates);
  const used = new Set<number>();
  for (const [number, { statement }] of statements.entries()) {
    options.onProgress('screening', number / statements.length);
    const own = candidates.flatMap((candidate, position) =>
      candidate.statements.includes(statement.fingerprint) ? [position] : [],
    );
    if (own.length === 0) continue;
    const plans = await enumeratePlans(model, number, own, {
      maxCalls: SCREENING_CALLS,
      isOver: () => options.isOver(SCREENING_SHARE),
    });
    for (const plan of plans?.plans ?? []) for (const index of plan.indexes) used.add(index);
  }
  return candidates.filter((_, position) => used.has(position));
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
  queries: SavedProblem['queries'],
): Pick<SavedProblem, 'indexes' | 'sharedCosts'> {
  const whole = queries.reduce((sum, { weight, baseCost }) => sum + weight * baseCost, 0);
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
      writeCost: (own[number] ?? 0) + whole * TRIFLE,
    })),
    sharedCosts: shared,
  };
}
