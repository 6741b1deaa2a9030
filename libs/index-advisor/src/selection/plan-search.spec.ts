import { describe, expect, it } from '@jest/globals';
import { CostModel, type PlannedCost, SavedCostModel } from './cost-model.js';
import { PlanSearch, type QueryPlans } from './plan-search.js';
import { Instance } from './instance.js';
import { randomProblem } from './random-problem.js';

describe('PlanSearch', () => {
  it('finds the plan of every set of indexes without planning every set', async () => {
    let calls = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const problem = randomProblem({ seed, indexes: 8, queries: 1 });
      const model = new Counting(new SavedCostModel(problem));
      const complete = await found(model, 1000);
      calls += model.calls;
      const [query] = problem.queries;
      if (complete === undefined || query === undefined) throw new Error('No plans.');
      const rebuilt = new Instance({ ...problem, queries: [{ ...query, ...complete }] });
      const original = new Instance(problem);
      for (let set = 0; set < 256; set += 1) {
        const chosen = Uint8Array.from({ length: 8 }, (_, index) => (set >> index) & 1);
        const cost = original.queryCost(0, chosen);
        // Plans that save next to nothing are left out.
        expect(Math.abs(rebuilt.queryCost(0, chosen) / cost - 1)).toBeLessThan(0.003);
      }
    }
    expect(calls / 60).toBeLessThan(40);
  });

  it('says what missing plans cost at least when it may not plan more', async () => {
    let missed = 0;
    for (let seed = 1; seed <= 60; seed += 1) {
      const model = new SavedCostModel(randomProblem({ seed, indexes: 8, queries: 1 }));
      const complete = await found(model, 1000);
      const cut = await found(model, 1);
      const listed = new Set(cut?.plans.map(({ indexes }) => indexes.join()));
      for (const { indexes, cost } of complete?.plans ?? []) {
        if (listed.has(indexes.join())) continue;
        missed += 1;
        expect(cost).toBeGreaterThanOrEqual(cut?.floorCost ?? Number.POSITIVE_INFINITY);
      }
    }
    expect(missed).toBeGreaterThan(0);
  });

  it('gives up on a query that cannot be planned', async () => {
    const model = new SavedCostModel(randomProblem({ seed: 1, indexes: 8, queries: 1 }));
    expect(await PlanSearch.start(model, 5, ALL)).toBeUndefined();
  });
});

const ALL = [0, 1, 2, 3, 4, 5, 6, 7];

async function found(model: CostModel, maxCalls: number): Promise<QueryPlans | undefined> {
  const search = await PlanSearch.start(model, 0, ALL);
  await search?.advance(maxCalls, () => false);
  return search?.found;
}

class Counting extends CostModel {
  calls = 0;

  constructor(private readonly model: CostModel) {
    super();
  }

  planOf(query: number, indexes: readonly number[]): Promise<PlannedCost | undefined> {
    this.calls += 1;
    return this.model.planOf(query, indexes);
  }
}
