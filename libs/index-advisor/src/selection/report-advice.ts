import type { Catalog } from '../catalog/catalog.js';
import { supersededBy } from '../candidates/existing-indexes.js';
import type { Difference } from '../what-if/what-if-planner.js';
import { type Grammar, loadGrammar } from '../workload/grammar.js';
import type { Workload, WorkloadStatement } from '../workload/workload.js';
import type { AdvisedIndex, IndexAdvice, ServedStatement } from './advice.js';
import type { BuiltProblem } from './build-problem.js';
import { createStatement, indexName } from './index-name.js';
import type { VerifiedSelection } from './select-verified.js';

interface ReportInput {
  readonly catalog: Catalog;
  readonly workload: Workload;
  readonly built: BuiltProblem;
  readonly selected: VerifiedSelection;
  readonly differences: readonly Difference[];
  readonly candidates: number;
  readonly notes: readonly string[];
}

/** Tells what was selected, for people and programs, without literals. */
export async function reportAdvice(input: ReportInput): Promise<IndexAdvice> {
  const { built, selected } = input;
  const { selection, planned } = selected;
  const { queries, budgetBytes } = selected.problem;
  const grammar = await loadGrammar();
  const sum = (costs: readonly number[]) => costs.reduce((total, cost) => total + cost, 0);
  const indexes = selection.indexes
    .map((number) => advisedIndex(number, input, grammar))
    // An index that no plan uses after all is not worth building.
    .filter(({ serves }) => serves.length > 0)
    .toSorted((a, b) => savedBy(b) - savedBy(a));
  return {
    indexes,
    queryCostBefore: sum(queries.map(({ weight, baseCost }) => weight * baseCost)),
    queryCostAfter: sum(queries.map(({ weight }, query) => weight * (planned[query]?.cost ?? 0))),
    writeCost: sum(indexes.map(({ writeCost }) => writeCost)),
    sizeBytes: sum(indexes.map(({ sizeBytes }) => sizeBytes)),
    budgetBytes,
    gap: selection.gap,
    statements: queries.length,
    candidates: input.candidates,
    unplanned: [...built.model.refused].flatMap(([number, reason]) => {
      const statement = built.asked[number]?.statement;
      if (statement === undefined) return [];
      return [{ fingerprint: statement.fingerprint, query: shown(statement, grammar), reason }];
    }),
    differences: input.differences,
    notes: [...input.notes, ...advisoryNotes(input, indexes)],
  };
}

function advisedIndex(
  number: number,
  { catalog, workload, built, selected }: ReportInput,
  grammar: Grammar,
): AdvisedIndex {
  const candidate = built.candidates[number];
  const listed = selected.problem.indexes[number];
  if (candidate === undefined || listed === undefined) throw new Error('An unknown index.');
  const { index, reason } = candidate;
  const table = catalog.tables.find(
    ({ schema, name }) => schema === index.schema && name === index.table,
  );
  return {
    name: indexName(index),
    ddl: createStatement(index, table?.kind === 'partitioned'),
    index,
    sizeBytes: listed.sizeBytes,
    writeCost: listed.writeCost,
    reason,
    serves: servedBy(number, { workload, built, selected }, grammar),
    supersedes: (table === undefined ? [] : supersededBy(table, index)).map(({ schema, name }) => ({
      schema,
      name,
    })),
  };
}

function servedBy(
  number: number,
  { workload, built, selected }: Pick<ReportInput, 'workload' | 'built' | 'selected'>,
  grammar: Grammar,
): readonly ServedStatement[] {
  return selected.problem.queries
    .flatMap(({ baseCost }, query): ServedStatement[] => {
      const plan = selected.planned[query];
      const statement = built.statements[query]?.statement;
      if (plan === undefined || statement === undefined || !plan.used.includes(number)) return [];
      const { fingerprint, calls, totalMs } = statement;
      const share = baseCost <= 0 ? 0 : Math.max(0, 1 - plan.cost / baseCost);
      const { days } = workload;
      return [
        {
          fingerprint,
          query: shown(statement, grammar),
          calls,
          costBefore: baseCost,
          costAfter: plan.cost,
          savedMsPerDay: days === undefined ? undefined : (totalMs * share) / days,
        },
      ];
    })
    .toSorted((a, b) => savedOf(b) - savedOf(a));
}

function savedOf({ calls, costBefore, costAfter }: ServedStatement): number {
  return calls * (costBefore - costAfter);
}

function savedBy({ serves }: AdvisedIndex): number {
  return serves.reduce((sum, served) => sum + savedOf(served), 0);
}

function shown({ sql }: WorkloadStatement, grammar: Grammar): string {
  return grammar.normalize(sql) ?? 'a text that could not be parsed';
}

function advisoryNotes({ catalog, workload }: ReportInput, indexes: readonly AdvisedIndex[]) {
  const isGeneric = workload.statements.some(({ parameters }) => parameters === undefined);
  const isPartitioned = indexes.some(({ index }) =>
    catalog.tables.some(
      ({ schema, name, kind }) =>
        kind === 'partitioned' && schema === index.schema && name === index.table,
    ),
  );
  return [
    ...(isGeneric
      ? [
          'Some statements were planned for any parameters, because none are known. Ranges and ' +
            'partial indexes are judged better with a source that records parameters.',
        ]
      : []),
    ...(isPartitioned
      ? [
          'PostgreSQL builds an index of a partitioned table with writes locked out. To avoid that, ' +
            'build it concurrently on each partition first, then on the table.',
        ]
      : []),
  ];
}
