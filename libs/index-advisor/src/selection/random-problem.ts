import type { SavedProblem } from './problem.js';

/** What a generated problem is like. */
export interface RandomProblemOptions {
  readonly seed: number;
  readonly indexes: number;
  readonly queries: number;
  /**
   * With tables, plans read each with one of a few indexes or none, and costs add up, as in real
   * workloads. Without, any indexes may belong to a plan, which is harder.
   */
  readonly tables?: number;
}

/**
 * A problem of index selection as workloads have them, the same for the same seed: a few indexes
 * for each query, several of which replace each other, and a budget for about a third of them.
 */
export function randomProblem(options: RandomProblemOptions): SavedProblem {
  const { seed, indexes, queries, tables } = options;
  const random = generator(seed);
  const below = (limit: number) => Math.floor(random() * limit);
  const listed = Array.from({ length: indexes }, (_, index) => ({
    name: `index ${index}`,
    sizeBytes: 1 + below(1000),
    writeCost: random() * 300,
  }));
  const bytes = listed.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return {
    version: 1,
    budgetBytes: Math.ceil(bytes * (0.2 + random() * 0.3)),
    indexes: listed,
    queries: Array.from({ length: queries }, (_, query) => {
      const baseCost = 50 + random() * 1000;
      const weight = 0.2 + random() * 3;
      if (tables !== undefined) {
        return joined({ name: `query ${query}`, weight, baseCost }, { indexes, tables, random });
      }
      const plans = Array.from({ length: 1 + below(6) }, () => ({
        indexes: [...new Set(Array.from({ length: 1 + below(3) }, () => below(indexes)))],
        cost: baseCost * (0.02 + random() * 0.9),
      }));
      return { name: `query ${query}`, weight, baseCost, plans };
    }),
    sharedCosts: Array.from({ length: below(3) }, () => ({
      indexes: [...new Set(Array.from({ length: 2 + below(2) }, () => below(indexes)))],
      cost: random() * 200,
    })),
  };
}

/** A query over one to three tables: every way to read each of them makes a plan. */
function joined(
  query: { readonly name: string; readonly weight: number; readonly baseCost: number },
  {
    indexes,
    tables,
    random,
  }: { readonly indexes: number; readonly tables: number; readonly random: () => number },
): SavedProblem['queries'][number] {
  const below = (limit: number) => Math.floor(random() * limit);
  const perTable = Math.floor(indexes / tables);
  const used = [...new Set(Array.from({ length: 1 + below(3) }, () => below(tables)))];
  const part = query.baseCost / used.length;
  let plans: { readonly indexes: readonly number[]; readonly cost: number }[] = [
    { indexes: [], cost: 0 },
  ];
  for (const table of used) {
    const ways = Array.from({ length: 1 + below(4) }, () => ({
      index: table * perTable + below(perTable),
      cost: part * (0.01 + random() * 0.8),
    }));
    plans = plans.flatMap((plan) => [
      { indexes: plan.indexes, cost: plan.cost + part },
      ...ways.map(({ index, cost }) => ({
        indexes: plan.indexes.concat(index),
        cost: plan.cost + cost,
      })),
    ]);
  }
  return { ...query, plans: plans.filter((plan) => plan.indexes.length > 0) };
}

/** Numbers from 0 to 1 that look random (mulberry32). */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
