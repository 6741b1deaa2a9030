import type { Reason } from '../planning/plan-rules.js';
import type { WorkloadAnalysis } from '../workload/workload-analysis.js';
import type {
  ChangeType,
  StrategyConfiguration,
  StrategyConstraints,
  StrategyStatus,
  StrategyType,
} from './strategy.schemas.js';

/** One change that an optimisation tried. */
export interface TriedChange {
  readonly type: ChangeType;
  readonly from: unknown;
  readonly to: unknown;
  readonly reason: string;
  /** Rolled back when it made things worse, or was no better than chance. */
  readonly outcome: 'kept' | 'rolled-back';
  readonly verification: string;
}

/** One optimisation of a strategy. */
export interface OptimisationRecord {
  readonly at: string;
  readonly by: string;
  readonly hitRatioBefore: number;
  readonly hitRatioAfter: number;
  readonly changes: readonly TriedChange[];
}

/** Where a configuration comes from. */
export interface Provenance {
  /** Id of a user, or what else made it. */
  readonly createdBy: string;
  readonly origin: 'generated' | 'given';
  readonly analysis: WorkloadAnalysis | null;
  readonly constraints: StrategyConstraints | null;
  readonly reasons: readonly Reason[];
  readonly unmet: readonly string[];
  /** The last optimisations, the newest first. */
  readonly optimisations: readonly OptimisationRecord[];
}

/** A strategy as it is stored. */
export interface CacheStrategy {
  readonly id: string;
  readonly name: string;
  readonly type: StrategyType;
  readonly status: StrategyStatus;
  /** Status after the optimisation that is under way; null when none is. */
  readonly resumeStatus: 'active' | 'disabled' | null;
  readonly configuration: StrategyConfiguration;
  readonly provenance: Provenance;
  /** Rises with every change. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
  readonly lastOptimized: Date | null;
}

/** Whether reads go to the cache; an optimisation does not stop them. */
export function isInUse({ status, resumeStatus }: CacheStrategy): boolean {
  return (resumeStatus ?? status) === 'active';
}
