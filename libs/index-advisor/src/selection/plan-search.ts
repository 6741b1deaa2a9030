import type { CostModel, PlannedCost } from './cost-model.js';
import type { ProblemPlan } from './problem.js';

/** The plans of one query that some set of indexes makes best. */
export interface QueryPlans {
  readonly baseCost: number;
  readonly plans: readonly ProblemPlan[];
  /** No plan that is missing costs less; absent when none is missing. */
  readonly floorCost?: number;
}

/** Plans that save less than this share of the cost without indexes are not looked for. */
const LEAST_GAIN = 0.002;

interface Known {
  readonly given: ReadonlySet<number>;
  readonly planned: PlannedCost;
}

/**
 * Finds the plans of a query under all sets of some indexes without planning all sets: the plan for
 * a set is also that for each smaller set that still has what the plan uses. So only sets that lack
 * one of the used indexes are planned next, the cheapest first. It can be stopped, and go on.
 * (Papadomanolakis, Dash and Ailamaki, "Efficient use of the query optimizer for automated physical
 * design", 2007, for plans that are known from others.)
 */
export class PlanSearch {
  readonly #known: Known[] = [];
  readonly #seen = new Set<string>();
  readonly #open: Known[] = [];
  readonly #plans = new Map<string, ProblemPlan>();
  #calls = 0;

  private constructor(
    private readonly model: CostModel,
    private readonly query: number,
    readonly indexes: readonly number[],
    readonly baseCost: number,
  ) {}

  /** Undefined when the query cannot be planned. */
  static async start(
    model: CostModel,
    query: number,
    indexes: readonly number[],
  ): Promise<PlanSearch | undefined> {
    const base = await model.planOf(query, []);
    if (base === undefined) return undefined;
    const search = new PlanSearch(model, query, indexes, base.cost);
    await search.#look(new Set(indexes));
    return search;
  }

  /** What was found so far. */
  get found(): QueryPlans {
    const { baseCost } = this;
    const plans = new Map(this.#plans);
    // What is open is known too; only what it leads to is not.
    for (const { planned } of this.#open) add(plans, planned, baseCost);
    const floorCost = Math.min(...this.#open.map(({ planned }) => planned.cost));
    const isComplete = floorCost >= baseCost;
    return { baseCost, plans: [...plans.values()], ...(isComplete ? {} : { floorCost }) };
  }

  /** Whether nothing that is missing would be worth having. */
  get isDone(): boolean {
    return this.#open.every(({ planned }) => planned.cost >= this.baseCost * (1 - LEAST_GAIN));
  }

  /** Looks on, with at most so many plans asked for. */
  async advance(maxCalls: number, isOver: () => boolean): Promise<void> {
    const last = this.#calls + maxCalls;
    while (!this.isDone && this.#calls < last && !isOver()) {
      const { given, planned } = takeCheapest(this.#open);
      add(this.#plans, planned, this.baseCost);
      for (const index of planned.used) {
        await this.#look(new Set([...given].filter((other) => other !== index)));
      }
    }
  }

  async #look(given: ReadonlySet<number>): Promise<void> {
    const key = [...given].toSorted((a, b) => a - b).join();
    if (this.#seen.has(key) || given.size === 0) return;
    this.#seen.add(key);
    let planned = knownPlan(this.#known, given);
    if (planned === undefined) {
      this.#calls += 1;
      planned = await this.model.planOf(this.query, [...given]);
    }
    if (planned === undefined) return;
    this.#known.push({ given, planned });
    this.#open.push({ given, planned });
  }
}

function add(plans: Map<string, ProblemPlan>, { used, cost }: PlannedCost, baseCost: number): void {
  const indexes = used.toSorted((a, b) => a - b);
  const key = indexes.join();
  if (indexes.length > 0 && cost < baseCost && !plans.has(key)) plans.set(key, { indexes, cost });
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
