import { newId } from '#libs/core';
import type { Reason } from '../planning/plan-rules.js';
import type { WorkloadAnalysis } from '../workload/workload-analysis.js';
import {
  type ChangeType,
  configurationSchema,
  type StrategyConfiguration,
  type StrategyConstraints,
  type StrategyStatus,
  type StrategyType,
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

/** A strategy that is not stored anywhere, for programs that measure. */
export function strategyOf(
  name: string,
  type: StrategyType,
  configuration: Partial<StrategyConfiguration> = {},
): CacheStrategy {
  const now = new Date();
  return {
    id: newId(),
    name,
    type,
    status: 'active',
    resumeStatus: null,
    configuration: configurationSchema.parse(configuration),
    provenance: {
      createdBy: 'program',
      origin: 'given',
      analysis: null,
      constraints: null,
      reasons: [],
      unmet: [],
      optimisations: [],
    },
    version: 1,
    createdAt: now,
    updatedAt: now,
    lastOptimized: null,
  };
}
