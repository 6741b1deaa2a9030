import { isError, PantheonError } from '#libs/core';
import { type CandidateIndex, candidateIdentity } from '../what-if/candidate-index.js';
import type { Statement, WhatIfPlanner } from '../what-if/what-if-planner.js';
import { CostModel, type PlannedCost } from './cost-model.js';

/** Costs by planning statements with hypothetical indexes. */
export class PlannedCostModel extends CostModel {
  readonly #numbers = new Map<string, number>();
  readonly #candidates: CandidateIndex[] = [];
  readonly #refused = new Map<number, string>();

  constructor(
    private readonly planner: WhatIfPlanner,
    private readonly statements: readonly Statement[],
    candidates: readonly CandidateIndex[],
  ) {
    super();
    this.add(candidates);
  }

  /** Candidates that come later have the numbers after those that are there. */
  add(candidates: readonly CandidateIndex[]): void {
    for (const candidate of candidates) {
      this.#numbers.set(candidateIdentity(candidate), this.#candidates.push(candidate) - 1);
    }
  }

  /** By statement: why the planner cannot plan it. */
  get refused(): ReadonlyMap<number, string> {
    return this.#refused;
  }

  async planOf(query: number, indexes: readonly number[]): Promise<PlannedCost | undefined> {
    const statement = this.statements[query];
    if (statement === undefined || this.#refused.has(query)) return undefined;
    const given = indexes.flatMap((index) => this.#candidates[index] ?? []);
    try {
      const plan = await this.planner.explain(statement, given);
      return { cost: plan.totalCost, used: this.#numbersOf(plan.usedCandidates) };
    } catch (error) {
      if (!isRefusal(error)) throw error;
      this.#refused.set(query, error.message);
      return undefined;
    }
  }

  #numbersOf(candidates: readonly CandidateIndex[]): readonly number[] {
    return candidates
      .map((candidate) => this.#numbers.get(candidateIdentity(candidate)))
      .filter((number) => number !== undefined);
  }
}

function isRefusal(error: unknown): error is PantheonError {
  return isError(error) && 'code' in error && error.code === 'INDEX_ADVISOR_STATEMENT_REFUSED';
}
