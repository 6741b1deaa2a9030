import type { CandidateIndex } from '../what-if/candidate-index.js';
import type { Difference, IndexName } from '../what-if/what-if-planner.js';

/** What to build, what it saves, and how sure that is. Holds no values of rows. */
export interface IndexAdvice {
  /** The one that saves most first. */
  readonly indexes: readonly AdvisedIndex[];
  /** Calls times the planner's cost, of all statements that could be planned. */
  readonly queryCostBefore: number;
  readonly queryCostAfter: number;
  /** What writes pay for the indexes over the same period, in the same unit. */
  readonly writeCost: number;
  readonly sizeBytes: number;
  readonly budgetBytes: number;
  /** No other choice among the candidates within the budget is better by more than this share. */
  readonly gap: number;
  readonly statements: number;
  readonly candidates: number;
  /** Statements that PostgreSQL could not plan. */
  readonly unplanned: readonly UnplannedStatement[];
  /** Why plans may differ from those of the server. */
  readonly differences: readonly Difference[];
  readonly notes: readonly string[];
}

export interface AdvisedIndex {
  /** The same for the same index, whenever it is advised. */
  readonly name: string;
  readonly ddl: string;
  readonly index: CandidateIndex;
  readonly sizeBytes: number;
  /** What writes pay for it over the period, without what they pay for several indexes at once. */
  readonly writeCost: number;
  readonly reason: string;
  /** The statements whose plans use it, the one that saves most first. */
  readonly serves: readonly ServedStatement[];
  /** Indexes whose work this one does too, and that nothing else needs. */
  readonly supersedes: readonly IndexName[];
}

export interface ServedStatement {
  readonly fingerprint: string;
  /** The statement without literals. */
  readonly query: string;
  readonly calls: number;
  /** Of one call, in the planner's unit; after with all advised indexes. */
  readonly costBefore: number;
  readonly costAfter: number;
  /** When time shrinks as the cost does; undefined when the period is not known. */
  readonly savedMsPerDay: number | undefined;
}

export interface UnplannedStatement {
  readonly fingerprint: string;
  readonly query: string;
  readonly reason: string;
}

export type AdviceStep = 'reading' | 'preparing' | 'screening' | 'planning' | 'selecting';

export interface AdviceProgress {
  readonly step: AdviceStep;
  /** Of all the work, 0 to 1. */
  readonly done: number;
}
