import type { SavedProblem } from './problem.js';

/** What one call of a query costs with some indexes, and which of them its plan uses. */
export interface PlannedCost {
  readonly cost: number;
  readonly used: readonly number[];
}

/** Where costs of queries under sets of indexes come from. Queries and indexes are numbers. */
export abstract class CostModel {
  /** Undefined when the query cannot be planned. */
  abstract planOf(query: number, indexes: readonly number[]): Promise<PlannedCost | undefined>;
}

/** The costs of a saved problem. */
export class SavedCostModel extends CostModel {
  constructor(private readonly problem: SavedProblem) {
    super();
  }

  planOf(query: number, indexes: readonly number[]): Promise<PlannedCost | undefined> {
    const found = this.problem.queries[query];
    if (found === undefined) return Promise.resolve(undefined);
    const given = new Set(indexes);
    let best: PlannedCost = { cost: found.baseCost, used: [] };
    for (const plan of found.plans) {
      if (plan.cost >= best.cost || !plan.indexes.every((index) => given.has(index))) continue;
      best = { cost: plan.cost, used: plan.indexes };
    }
    return Promise.resolve(best);
  }
}
