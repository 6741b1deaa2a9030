import { describe, expect, it } from '@jest/globals';
import { Instance } from './instance.js';
import { readProblem, type SavedProblem, writeProblem } from './problem.js';
import { randomProblem } from './random-problem.js';
import { selectIndexes } from './select-indexes.js';

describe('selectIndexes', () => {
  it('finds what trying everything finds, and claims no gap that is too small', async () => {
    for (let seed = 1; seed <= 150; seed += 1) {
      const problem = randomProblem({ seed, indexes: 4 + (seed % 8), queries: 3 + (seed % 12) });
      const optimum = bestByTrying(problem);
      const exact = await selectIndexes(problem, { targetGap: 0 });
      expect({ seed, cost: exact.costAfter.toFixed(6) }).toEqual({
        seed,
        cost: optimum.toFixed(6),
      });
      expect(exact.gap).toBeLessThan(1e-6);
      const near = await selectIndexes(problem, { targetGap: 0.05 });
      expect(near.bound).toBeLessThanOrEqual(optimum + 1e-6);
      expect(near.costAfter).toBeGreaterThanOrEqual(optimum - 1e-6);
      expect(near.gap).toBeLessThanOrEqual(0.05 + 1e-9);
    }
  });

  it('keeps to the budget', async () => {
    for (let seed = 200; seed < 230; seed += 1) {
      const problem = randomProblem({ seed, indexes: 12, queries: 10 });
      const { indexes, bytes } = await selectIndexes(problem);
      const sum = indexes.reduce(
        (total, index) => total + (problem.indexes[index]?.sizeBytes ?? 0),
        0,
      );
      expect(bytes).toBe(sum);
      expect(sum).toBeLessThanOrEqual(problem.budgetBytes);
    }
  });

  it('proves a gap of at most 1 % for 150 indexes on 20 tables and 300 queries', async () => {
    const problem = randomProblem({ seed: 8, indexes: 150, queries: 300, tables: 20 });
    const { gap, costAfter, costBefore, bound } = await selectIndexes(problem, { timeMs: 45_000 });
    expect(gap).toBeLessThanOrEqual(0.01);
    expect(bound).toBeLessThanOrEqual(costAfter);
    expect(costAfter).toBeLessThan(costBefore);
  });

  it('answers with what it has when time is up, and with the gap that is left', async () => {
    const problem = randomProblem({ seed: 7, indexes: 120, queries: 200 });
    const { gap, bound, costAfter } = await selectIndexes(problem, { timeMs: 0 });
    expect(gap).toBeCloseTo((costAfter - bound) / costAfter);
    expect(gap).toBeGreaterThan(0.01);
  });

  it('adds indexes together that pay only together', async () => {
    const { indexes } = await selectIndexes({
      ...base,
      queries: [{ name: 'both', weight: 10, baseCost: 100, plans: [{ indexes: [0, 1], cost: 1 }] }],
    });
    expect(indexes).toEqual([0, 1]);
  });

  it('chooses nothing that costs more to maintain than it saves', async () => {
    const { indexes, gap } = await selectIndexes({
      ...base,
      queries: [{ name: 'rare', weight: 1, baseCost: 12, plans: [{ indexes: [0], cost: 3 }] }],
    });
    expect(indexes).toEqual([]);
    expect(gap).toBe(0);
  });

  it('counts a cost that several indexes share once', async () => {
    const queries = [0, 1].map((index) => ({
      name: String(index),
      weight: 1,
      baseCost: 50,
      plans: [{ indexes: [index], cost: 1 }],
    }));
    const shared = { ...base, queries, sharedCosts: [{ indexes: [0, 1], cost: 60 }] };
    const { indexes, costAfter, writeCost } = await selectIndexes(shared);
    expect(indexes).toEqual([0, 1]);
    expect(writeCost).toBe(80);
    expect(costAfter).toBe(82);
  });

  it('does not claim more than is known of plans that were not listed', async () => {
    const { bound } = await selectIndexes({
      ...base,
      queries: [
        { name: 'q', weight: 1, baseCost: 100, plans: [{ indexes: [0], cost: 40 }], floorCost: 30 },
      ],
    });
    expect(bound).toBeLessThanOrEqual(30);
  });
});

describe('a saved problem', () => {
  it('is the same after it was written and read', () => {
    const problem = randomProblem({ seed: 1, indexes: 5, queries: 4 });
    expect(readProblem(writeProblem(problem))).toEqual(problem);
  });

  it('is refused with the place of the fault', () => {
    expect(() => readProblem('{')).toThrow('is not JSON');
    expect(() => readProblem(JSON.stringify({ ...base, budgetBytes: -1 }))).toThrow('budgetBytes');
    const queries = [{ name: 'q', weight: 1, baseCost: 1, plans: [{ indexes: [9], cost: 1 }] }];
    expect(() => readProblem(JSON.stringify({ ...base, queries }))).toThrow('index 9');
  });
});

const base: SavedProblem = {
  version: 1,
  budgetBytes: 100,
  indexes: [
    { name: 'a', sizeBytes: 10, writeCost: 10 },
    { name: 'b', sizeBytes: 10, writeCost: 10 },
  ],
  queries: [],
  sharedCosts: [],
};

function bestByTrying(problem: SavedProblem): number {
  const instance = new Instance(problem);
  let best = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 2 ** instance.size; set += 1) {
    const chosen = Uint8Array.from({ length: instance.size }, (_, index) => (set >> index) & 1);
    if (instance.bytesOf(chosen) > instance.budgetBytes) continue;
    best = Math.min(best, instance.totalCost(chosen));
  }
  return best;
}
