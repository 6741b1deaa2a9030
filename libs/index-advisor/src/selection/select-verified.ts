import { type BuiltProblem, withoutFloors } from './build-problem.js';
import type { PlannedCost } from './cost-model.js';
import type { ProblemPlan, SavedProblem } from './problem.js';
import type { Selection } from './select-indexes.js';
import { selectHere, type Selector } from './selector.js';

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
/** The share by which another choice may still be better. */
const TARGET_GAP = 0.01;
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
 * selects again; and so it goes on until the selection is proven good enough or time is up.
 */
export async function selectVerified(
  built: BuiltProblem,
  timeLeftMs: () => number,
  select: Selector = selectHere,
): Promise<VerifiedSelection> {
  const extra = new Map<number, ProblemPlan[]>();
  for (let round = 0; ; round += 1) {
    const problem = withPlans(built.problem(), extra);
    const isLast = round >= MAX_ROUNDS || timeLeftMs() <= 2 * ROUND_MS;
    if (!isLast) {
      const selection = await select({ problem: withoutFloors(problem), timeMs: ROUND_MS });
      const planned = await planAll(built, problem, selection);
      const isNew = noteUnknown(problem, selection, planned, extra);
      const slacks = slacksOf(problem, ({ query, floor }) => (planned[query]?.cost ?? 0) - floor);
      const isWider = await lookFurther(built, slacks, selection, timeLeftMs);
      if (isNew || isWider) continue;
    }
    const isOpen = built.statements.some(({ search }) => !search.isDone);
    const timeMs = isLast || !isOpen ? timeLeftMs() : ROUND_MS;
    const selection = await select({ problem, timeMs, targetGap: TARGET_GAP });
    const isProven = isLast || !isOpen || selection.gap <= TARGET_GAP;
    const slacks = slacksOf(problem, ({ baseCost, floor }) => baseCost - floor);
    // Plans that are not known weaken the proof even where they would not be chosen.
    if (!isProven && (await lookFurther(built, slacks, selection, timeLeftMs))) continue;
    return { problem, selection, planned: await planAll(built, problem, selection) };
  }
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

interface Slack {
  readonly query: number;
  /** What plans that are not known might save. */
  readonly slack: number;
}

function slacksOf(
  { queries }: SavedProblem,
  saved: (query: { query: number; baseCost: number; floor: number }) => number,
): readonly Slack[] {
  return queries.flatMap(({ weight, baseCost, floorCost }, query) =>
    floorCost === undefined
      ? []
      : [{ query, slack: weight * Math.max(0, saved({ query, baseCost, floor: floorCost })) }],
  );
}

/** Looks for more plans of the statements where most could be missing; whether it did. */
async function lookFurther(
  { statements }: BuiltProblem,
  slacks: readonly Slack[],
  { costAfter }: Selection,
  timeLeftMs: () => number,
): Promise<boolean> {
  const open = slacks
    .filter(({ query }) => statements[query]?.search.isDone === false)
    .toSorted((a, b) => b.slack - a.slack);
  const total = open.reduce((sum, { slack }) => sum + slack, 0);
  if (total <= costAfter * SLACK) return false;
  for (const { query } of open.slice(0, STATEMENTS)) {
    await statements[query]?.search.advance(CALLS, () => timeLeftMs() < ROUND_MS);
  }
  return true;
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
