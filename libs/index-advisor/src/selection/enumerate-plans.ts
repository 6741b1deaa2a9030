import type { CostModel, PlannedCost } from './cost-model.js';
import type { ProblemPlan } from './problem.js';

/** The plans of one query that some set of indexes makes best. */
export interface QueryPlans {
  readonly baseCost: number;
  readonly plans: readonly ProblemPlan[];
  /** No plan that is missing costs less; absent when none is missing. */
  readonly floorCost?: number;
}

export interface EnumerationLimits {
  /** Plans that are asked for. */
  readonly maxCalls: number;
  readonly isOver: () => boolean;
}

/** A plan that saves less than this share of the cost without indexes is not looked for. */
const LEAST_GAIN = 0.002;

interface Known {
  readonly given: ReadonlySet<number>;
  readonly planned: PlannedCost;
}

/**
 * Finds the plans of a query under all sets of `indexes` without planning all sets: the plan for a
 * set is also that for each smaller set that still has what the plan uses. So only sets that lack
 * one of the used indexes are planned next, the cheapest first.
 * (Papadomanolakis, Dash and Ailamaki, "Efficient use of the query optimizer for automated physical
 * design", 2007, for plans that are known from others.)
 */
export async function enumeratePlans(
  model: CostModel,
  query: number,
  indexes: readonly number[],
  { maxCalls, isOver }: EnumerationLimits,
): Promise<QueryPlans | undefined> {
  const base = await model.planOf(query, []);
  if (base === undefined) return undefined;
  const known: Known[] = [];
  const seen = new Set<string>();
  const open: Known[] = [];
  const plans = new Map<string, ProblemPlan>();
  let calls = 1;
  const look = async (given: ReadonlySet<number>): Promise<void> => {
    const key = [...given].toSorted((a, b) => a - b).join();
    if (seen.has(key) || given.size === 0) return;
    seen.add(key);
    let planned = knownPlan(known, given);
    if (planned === undefined) {
      calls += 1;
      planned = await model.planOf(query, [...given]);
    }
    if (planned === undefined) return;
    known.push({ given, planned });
    open.push({ given, planned });
  };
  const note = ({ used, cost }: PlannedCost): void => {
    const sorted = used.toSorted((a, b) => a - b);
    const key = sorted.join();
    if (sorted.length === 0 || cost >= base.cost || plans.has(key)) return;
    plans.set(key, { indexes: sorted, cost });
  };
  await look(new Set(indexes));
  while (open.length > 0) {
    const { given, planned } = takeCheapest(open);
    note(planned);
    // Fewer indexes cannot make it cheaper.
    if (planned.cost >= base.cost * (1 - LEAST_GAIN)) break;
    if (calls >= maxCalls || isOver()) {
      for (const other of open) note(other.planned);
      return { baseCost: base.cost, plans: [...plans.values()], floorCost: planned.cost };
    }
    for (const index of planned.used) {
      await look(new Set([...given].filter((other) => other !== index)));
    }
  }
  return { baseCost: base.cost, plans: [...plans.values()] };
}

/** The plan of a larger set that uses only what the smaller one has. */
function knownPlan(known: readonly Known[], given: ReadonlySet<number>): PlannedCost | undefined {
  return known.find(
    (other) =>
      other.planned.used.every((index) => given.has(index)) &&
      [...given].every((index) => other.given.has(index)),
  )?.planned;
}

function takeCheapest(open: Known[]): Known {
  let cheapest = 0;
  for (let place = 1; place < open.length; place += 1) {
    if ((open[place]?.planned.cost ?? 0) < (open[cheapest]?.planned.cost ?? 0)) cheapest = place;
  }
  const [taken] = open.splice(cheapest, 1);
  if (taken === undefined) throw new Error('Nothing is open.');
  return taken;
}
