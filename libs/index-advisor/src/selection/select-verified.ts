import type { Clock } from '#libs/core';
import { type BuiltProblem, withoutFloors } from './build-problem.js';
import type { PlannedCost } from './cost-model.js';
import type { ProblemPlan, SavedProblem } from './problem.js';
import { type Selection, selectIndexes } from './select-indexes.js';

/** A selection with the plans that its indexes really give. */
export interface VerifiedSelection {
  readonly problem: SavedProblem;
  readonly selection: Selection;
  /** By query: with all chosen indexes. */
  readonly planned: readonly PlannedCost[];
}

/** Ends what never settles; time ends it as a rule. */
const MAX_ROUNDS = 60;
/** Time of a selection that later ones improve. */
const ROUND_MS = 2000;
/** Costs that differ by less are the same. */
const TOLERANCE = 0.001;
/** Of all costs: what plans that are not known might save, so that looking for them pays. */
const SLACK = 0.004;
/** Statements that are looked into further in one round, and plans for each. */
const STATEMENTS = 6;
const CALLS = 100;

/**
 * Selects, and plans every statement with what was selected. As long as that shows plans that were
 * not known, or statements whose unknown plans could save much, these are looked for, and it
 * selects again. The last selection proves how good it is.
 */
export async function selectVerified(
  built: BuiltProblem,
  timeLeftMs: () => number,
  clock: Clock,
): Promise<VerifiedSelection> {
  const extra = new Map<number, ProblemPlan[]>();
  for (let round = 0; round < MAX_ROUNDS && timeLeftMs() > ROUND_MS; round += 1) {
    const problem = withPlans(built.problem(), extra);
    const timeMs = Math.min(ROUND_MS, timeLeftMs());
    const selection = await selectIndexes(withoutFloors(problem), { timeMs, clock });
    const planned = await planAll(built, problem, selection);
    const isNew = noteUnknown(problem, selection, planned, extra);
    const isWider = await lookFurther(built, problem, selection, planned, timeLeftMs);
    if (!isNew && !isWider) break;
  }
  const problem = withPlans(built.problem(), extra);
  const selection = await selectIndexes(problem, { timeMs: timeLeftMs(), clock });
  return { problem, selection, planned: await planAll(built, problem, selection) };
}

async function planAll(
  { model, statements }: BuiltProblem,
  { queries }: SavedProblem,
  { indexes }: Selection,
): Promise<readonly PlannedCost[]> {
  const chosen = new Set(indexes);
  const planned: PlannedCost[] = [];
  for (const [query, { number, search }] of statements.entries()) {
    const given = search.indexes.filter((index) => chosen.has(index));
    const plan = given.length === 0 ? undefined : await model.planOf(number, given);
    planned.push(plan ?? { cost: queries[query]?.baseCost ?? 0, used: [] });
  }
  return planned;
}

/** Keeps plans that are cheaper than what the problem expected; whether there are any. */
function noteUnknown(
  { queries }: SavedProblem,
  { indexes }: Selection,
  planned: readonly PlannedCost[],
  extra: Map<number, ProblemPlan[]>,
): boolean {
  const chosen = new Set(indexes);
  let isNew = false;
  for (const [query, { baseCost, plans }] of queries.entries()) {
    const plan = planned[query];
    const usable = plans.filter((known) => known.indexes.every((index) => chosen.has(index)));
    const expected = Math.min(baseCost, ...usable.map(({ cost }) => cost));
    if (plan === undefined || plan.cost >= expected * (1 - TOLERANCE)) continue;
    isNew = true;
    const known = extra.get(query) ?? [];
    extra.set(query, [...known, { indexes: plan.used, cost: plan.cost }]);
  }
  return isNew;
}

/** Looks for more plans of the statements where most could be missing; whether it did. */
async function lookFurther(
  { statements }: BuiltProblem,
  { queries }: SavedProblem,
  { costAfter }: Selection,
  planned: readonly PlannedCost[],
  timeLeftMs: () => number,
): Promise<boolean> {
  const slacks = queries
    .map(({ weight, floorCost }, query) => {
      const cost = planned[query]?.cost ?? 0;
      return { query, slack: weight * Math.max(0, cost - (floorCost ?? cost)) };
    })
    .filter(({ query }) => statements[query]?.search.isDone === false)
    .toSorted((a, b) => b.slack - a.slack);
  const total = slacks.reduce((sum, { slack }) => sum + slack, 0);
  if (total <= costAfter * SLACK) return false;
  for (const { query } of slacks.slice(0, STATEMENTS)) {
    await statements[query]?.search.advance(CALLS, () => timeLeftMs() < ROUND_MS);
  }
  return timeLeftMs() > ROUND_MS;
}

function withPlans(
  problem: SavedProblem,
  extra: ReadonlyMap<number, readonly ProblemPlan[]>,
): SavedProblem {
  if (extra.size === 0) return problem;
  const queries = problem.queries.map((query, number) => {
    const more = extra.get(number);
    return more === undefined ? query : { ...query, plans: query.plans.concat(more) };
  });
  return { ...problem, queries };
}
