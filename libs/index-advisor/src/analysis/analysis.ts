import type { EvidenceValue, Finding } from '../finding.js';
import type { AdvisedIndex, ServedStatement } from '../selection/advice.js';

/** What a database could do without, and what it lacks, as plain JSON. Holds no values of rows. */
export interface DatabaseAnalysis {
  /** ISO 8601. */
  readonly analysedAt: string;
  readonly server: { readonly version: number; readonly database: string };
  readonly statistics: StatisticsAge;
  readonly workload: { readonly statements: number; readonly days: number | null };
  readonly recommended: readonly RecommendedIndex[];
  readonly toRemove: readonly Finding[];
  readonly estimated: EstimatedImprovement;
  /** Why plans may differ from those of the server, what could not be judged, what is missing. */
  readonly notes: readonly string[];
}

/** How much the counters of use can tell. */
export interface StatisticsAge {
  readonly since: string | null;
  readonly days: number | null;
  readonly replicas: number;
}

export type RecommendedIndex = Pick<
  AdvisedIndex,
  'name' | 'ddl' | 'index' | 'sizeBytes' | 'writeCost' | 'reason'
> & {
  readonly serves: readonly ImprovedStatement[];
  /** Existing indexes that it makes superfluous, as `schema.name`. */
  readonly supersedes: readonly string[];
};

export type ImprovedStatement = Omit<ServedStatement, 'savedMsPerDay'> & {
  readonly savedMsPerDay: number | null;
};

/** Of the whole workload, in the planner's unit. */
export interface EstimatedImprovement {
  readonly costBefore: number;
  readonly costAfter: number;
  /** Share of the cost that is saved. */
  readonly improvement: number;
  readonly writeCost: number;
  readonly sizeBytes: number;
  readonly freedBytes: number;
  /** No other choice within the budget is better by more than this share. */
  readonly gap: number;
}

/** Bytes that a removal gives back, as its evidence says. */
export function freedBytes(findings: readonly Finding[]): number {
  return findings.reduce((sum, { evidence }) => sum + numberOf(evidence['bytes']), 0);
}

function numberOf(value: EvidenceValue | undefined): number {
  return typeof value === 'number' ? value : 0;
}
