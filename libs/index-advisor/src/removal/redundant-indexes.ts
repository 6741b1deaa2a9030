import type { Catalog } from '../catalog/catalog.js';
import { StatementRefusedError } from '../errors/statement-refused.error.js';
import type { Finding } from '../finding.js';
import type { IndexName, Statement, WhatIfPlanner } from '../what-if/what-if-planner.js';
import {
  bytesOf,
  dropStatement,
  familyOf,
  foreignKeysServed,
  type PlacedIndex,
  scansOf,
  shownName,
  topIndexes,
  whatNeeds,
} from './index-facts.js';

/** A statement with how often it is called. */
export interface WeighedStatement extends Statement {
  readonly calls: number;
}

/** What a workload may lose by the removal of an index. */
export interface RedundancyLimits {
  /** Share of the cost of the whole workload; default 0.001. */
  readonly maxTotalIncrease?: number;
  /** Share of the cost of a single statement; default 0.05. */
  readonly maxStatementIncrease?: number;
}

interface Costed {
  readonly statement: WeighedStatement;
  readonly cost: number;
  readonly used: ReadonlySet<string>;
}

/**
 * Plans a workload without indexes that exist, to prove that it does not need them. What is found
 * counts for the plans that follow, so that two indexes that replace each other do not both go.
 */
export class RedundancyProof {
  private readonly without: IndexName[] = [];
  private costs: readonly Costed[] | undefined;

  constructor(
    private readonly planner: WhatIfPlanner,
    private readonly catalog: Catalog,
    private readonly statements: readonly WeighedStatement[],
    private readonly limits: RedundancyLimits = {},
  ) {}

  /** Counts an index as gone if the workload costs no more without it. @returns whether it did */
  async tryWithout({ index }: PlacedIndex): Promise<CostChange | undefined> {
    const before = await this.current();
    const names = familyOf(index, this.catalog).map(({ schema, name }) => ({ schema, name }));
    const own = new Set(names.map(({ name }) => name));
    const without = [...this.without, ...names];
    const after: Costed[] = [];
    for (const costed of before) {
      // A plan that does not read the index stays as it is.
      const isConcerned = [...costed.used].some((name) => own.has(name));
      after.push(isConcerned ? ((await this.plan(costed.statement, without)) ?? costed) : costed);
    }
    const change = changeOf(before, after, own);
    const { maxTotalIncrease = 0.001, maxStatementIncrease = 0.05 } = this.limits;
    const isHarmless =
      change.totalAfter <= change.totalBefore * (1 + maxTotalIncrease) &&
      change.worstIncrease <= maxStatementIncrease;
    if (!isHarmless) return undefined;
    this.without.push(...names);
    this.costs = after;
    return change;
  }

  /**
   * Indexes without which the workload costs the same. An index that was read, but by no statement
   * of the workload, is left alone: somebody uses it whom the workload does not show.
   */
  async findRedundant(except: ReadonlySet<number>): Promise<readonly Finding[]> {
    const found: Finding[] = [];
    const asked = topIndexes(this.catalog)
      .filter((placed) => placed.index.isValid && !except.has(placed.index.oid))
      .filter((placed) => whatNeeds(placed, this.catalog).length === 0)
      .filter((placed) => foreignKeysServed(placed).length === 0)
      .toSorted((a, b) => bytesOf(b.index, this.catalog) - bytesOf(a.index, this.catalog));
    for (const placed of asked) {
      const names = new Set(familyOf(placed.index, this.catalog).map(({ name }) => name));
      const reads = (await this.current()).filter(({ used }) =>
        [...used].some((name) => names.has(name)),
      ).length;
      if (reads === 0) continue;
      const change = await this.tryWithout(placed);
      if (change !== undefined) found.push(this.findingOf(placed, reads, change));
    }
    return found;
  }

  private findingOf(placed: PlacedIndex, reads: number, change: CostChange): Finding {
    const { index } = placed;
    return {
      code: 'redundant-index',
      object: shownName(index),
      why:
        `${reads} statements of the workload read ${index.name}, and all of them are planned as ` +
        'cheaply without it, by other indexes.',
      evidence: {
        definition: index.definition,
        bytes: bytesOf(index, this.catalog),
        scans: scansOf(index, this.catalog),
        statementsPlanned: this.costs?.length ?? 0,
        statementsThatReadIt: reads,
        workloadCostBefore: Math.round(change.totalBefore),
        workloadCostAfter: Math.round(change.totalAfter),
      },
      remedy: [dropStatement(placed)],
      confidence: 'check',
    };
  }

  private async current(): Promise<readonly Costed[]> {
    if (this.costs !== undefined) return this.costs;
    const costs: Costed[] = [];
    for (const statement of this.statements) {
      const costed = await this.plan(statement, this.without);
      if (costed !== undefined) costs.push(costed);
    }
    this.costs = costs;
    return costs;
  }

  private async plan(
    statement: WeighedStatement,
    without: readonly IndexName[],
  ): Promise<Costed | undefined> {
    try {
      const plan = await this.planner.explain(statement, [], without);
      return { statement, cost: plan.totalCost, used: new Set(plan.usedIndexes) };
    } catch (error) {
      // A statement of the past may be about tables that are gone.
      if (error instanceof StatementRefusedError) return undefined;
      throw error;
    }
  }
}

/** What a workload costs with and without, weighed by calls. */
export interface CostChange {
  readonly totalBefore: number;
  readonly totalAfter: number;
  /** The largest increase of one statement, as a share. */
  readonly worstIncrease: number;
}

function changeOf(
  before: readonly Costed[],
  after: readonly Costed[],
  dropped: ReadonlySet<string>,
): CostChange {
  const total = (costs: readonly Costed[]) =>
    costs.reduce((sum, { cost, statement }) => sum + cost * statement.calls, 0);
  const increases = before.map(({ cost, used }, position) =>
    [...used].some((name) => dropped.has(name))
      ? (after[position]?.cost ?? cost) / Math.max(cost, 1e-9) - 1
      : 0,
  );
  return {
    totalBefore: total(before),
    totalAfter: total(after),
    worstIncrease: Math.max(0, ...increases),
  };
}
