import type { SavedProblem } from './problem.js';

/** A plan of a query; `entries` are its places among all pairs of queries and indexes. */
export interface InstancePlan {
  /** Of all calls. */
  readonly cost: number;
  readonly indexes: readonly number[];
  readonly entries: readonly number[];
}

/** Costs that are paid once when any of the indexes is chosen. */
export interface SharedCost {
  readonly cost: number;
  readonly indexes: readonly number[];
}

/** A set of indexes: 1 where chosen. */
export type Choice = Uint8Array;

/**
 * A problem as its solvers use it: costs times weights, plans from cheap to dear with the one
 * without indexes last, plans that can never be best left out.
 */
export class Instance {
  readonly size: number;
  readonly budgetBytes: number;
  readonly bytes: readonly number[];
  readonly fixedCosts: readonly number[];
  readonly plans: readonly (readonly InstancePlan[])[];
  readonly floors: readonly (number | undefined)[];
  readonly shared: readonly SharedCost[];
  /** By index: the shared costs it takes part in. */
  readonly sharedOf: readonly (readonly number[])[];
  /** By index: the queries with a plan that uses it. */
  readonly queriesOf: readonly (readonly number[])[];
  /** By entry: its index. */
  readonly entryIndexes: readonly number[];

  constructor(problem: SavedProblem) {
    const { indexes, queries, sharedCosts, budgetBytes } = problem;
    this.size = indexes.length;
    this.budgetBytes = budgetBytes;
    this.bytes = indexes.map(({ sizeBytes }) => sizeBytes);
    this.fixedCosts = indexes.map(({ writeCost }) => writeCost);
    const entryIndexes: number[] = [];
    const queriesOf: number[][] = indexes.map(() => []);
    this.plans = queries.map(({ weight, baseCost, plans }, query) => {
      const entries = new Map<number, number>();
      const entryOf = (index: number) => {
        let entry = entries.get(index);
        if (entry === undefined) {
          entry = entryIndexes.push(index) - 1;
          entries.set(index, entry);
          queriesOf[index]?.push(query);
        }
        return entry;
      };
      return usefulPlans([...plans, { indexes: [], cost: baseCost }]).map((plan) => ({
        cost: plan.cost * weight,
        indexes: plan.indexes,
        entries: plan.indexes.map((index) => entryOf(index)),
      }));
    });
    this.floors = queries.map(({ floorCost, weight }) =>
      floorCost === undefined ? undefined : floorCost * weight,
    );
    this.shared = sharedCosts.filter((shared) => shared.indexes.length > 0);
    this.sharedOf = indexes.map((_, index) =>
      this.shared.flatMap((shared, position) => (shared.indexes.includes(index) ? [position] : [])),
    );
    this.queriesOf = queriesOf;
    this.entryIndexes = entryIndexes;
  }

  /** What a query costs with the chosen indexes. */
  queryCost(query: number, chosen: Choice): number {
    return this.planOf(query, chosen).cost;
  }

  planOf(query: number, chosen: Choice): InstancePlan {
    for (const plan of this.plans[query] ?? []) {
      if (plan.indexes.every((index) => chosen[index] === 1)) return plan;
    }
    throw new Error('A query without a plan.');
  }

  /** All queries, writes, and shared costs. */
  totalCost(chosen: Choice): number {
    let total = this.writeCost(chosen);
    for (let query = 0; query < this.plans.length; query += 1) {
      total += this.queryCost(query, chosen);
    }
    return total;
  }

  writeCost(chosen: Choice): number {
    let total = 0;
    for (let index = 0; index < this.size; index += 1) {
      if (chosen[index] === 1) total += this.fixedCosts[index] ?? 0;
    }
    for (const { cost, indexes } of this.shared) {
      if (indexes.some((index) => chosen[index] === 1)) total += cost;
    }
    return total;
  }

  bytesOf(chosen: Choice): number {
    let total = 0;
    for (let index = 0; index < this.size; index += 1) {
      if (chosen[index] === 1) total += this.bytes[index] ?? 0;
    }
    return total;
  }

  none(): Choice {
    return new Uint8Array(this.size);
  }
}

interface BarePlan {
  readonly indexes: readonly number[];
  readonly cost: number;
}

/** Cheapest first, without those that need all of a cheaper one's indexes. */
function usefulPlans(plans: readonly BarePlan[]): readonly BarePlan[] {
  const useful: BarePlan[] = [];
  const sorted = plans.toSorted((a, b) => a.cost - b.cost || a.indexes.length - b.indexes.length);
  for (const plan of sorted) {
    const own = new Set(plan.indexes);
    if (useful.some((cheaper) => cheaper.indexes.every((index) => own.has(index)))) continue;
    useful.push({ cost: plan.cost, indexes: [...own] });
  }
  return useful;
}
