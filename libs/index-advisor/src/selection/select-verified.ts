import type { Clock } from '#libs/core';
import type { BuiltProblem } from './build-problem.js';
import type { PlannedCost } from './cost-model.js';
import type { SavedProblem } from './problem.js';
import { type Selection, selectIndexes } from './select-indexes.js';

/** A selection with the plans that its indexes really give. */
export interface VerifiedSelection {
  readonly selection: Selection;
  /** By query: with all chosen indexes. */
  readonly planned: readonly PlannedCost[];
}

/** Plans that were not known may make another choice better, and that one has others again. */
const ROUNDS = 3;
/** Costs that differ by less are the same. */
const TOLERANCE = 0.001;

/**
 * Selects, plans every statement with what was selected, and selects again as long as that showed
 * plans that are cheaper than those that were known.
 */
export async function selectVerified(
  built: BuiltProblem,
  timeLeftMs: () => number,
  clock: Clock,
): Promise<VerifiedSelection> {
  let { problem } = built;
  for (let round = 1; ; round += 1) {
    const selection = await selectIndexes(problem, { timeMs: timeLeftMs(), clock });
    const planned = await planAll(built, selection);
    const improved = withPlans(problem, selection, planned);
    if (improved === undefined || round === ROUNDS) return { selection, planned };
    problem = improved;
  }
}

async function planAll(
  { model, numbers, relevant, problem }: BuiltProblem,
  { indexes }: Selection,
): Promise<readonly PlannedCost[]> {
  const chosen = new Set(indexes);
  const planned: PlannedCost[] = [];
  for (const [query, { baseCost }] of problem.queries.entries()) {
    const given = (relevant[query] ?? []).filter((index) => chosen.has(index));
    const plan = given.length === 0 ? undefined : await model.planOf(numbers[query] ?? 0, given);
    planned.push(plan ?? { cost: baseCost, used: [] });
  }
  return planned;
}

/** The problem with plans that are cheaper than what it expected; undefined when there is none. */
function withPlans(
  problem: SavedProblem,
  { indexes }: Selection,
  planned: readonly PlannedCost[],
): SavedProblem | undefined {
  const chosen = new Set(indexes);
  let isBetter = false;
  const queries = problem.queries.map((query, number) => {
    const plan = planned[number];
    const expected = Math.min(
      query.baseCost,
      ...query.plans
        .filter((known) => known.indexes.every((index) => chosen.has(index)))
        .map(({ cost }) => cost),
    );
    if (plan === undefined || plan.cost >= expected * (1 - TOLERANCE)) return query;
    isBetter = true;
    return { ...query, plans: [...query.plans, { indexes: plan.used, cost: plan.cost }] };
  });
  return isBetter ? { ...problem, queries } : undefined;
}
