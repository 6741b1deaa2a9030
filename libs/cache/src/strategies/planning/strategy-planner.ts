import { Injectable } from '@nestjs/common';
import {
  configurationSchema,
  type StrategyConfiguration,
  type StrategyConstraints,
  type StrategyType,
} from '../model/strategy.schemas.js';
import type { WorkloadAnalysis } from '../workload/workload-analysis.js';
import { WorkloadAnalyser } from '../workload/workload-analyser.js';
import type { Workload } from '../workload/workload.js';
import { EvictionAdvisor } from './eviction-advisor.js';
import { LifetimeAdvisor } from './lifetime-advisor.js';
import {
  compressionFor,
  inBytes,
  inPercent,
  prefetchFor,
  type Reason,
  typeFor,
  warmUpFor,
} from './plan-rules.js';

export interface PlanRequest {
  readonly workload: Workload;
  /** Chosen from the workload when it is not given. */
  readonly type?: StrategyType | undefined;
  readonly constraints: StrategyConstraints;
  readonly samples?: readonly unknown[];
  readonly signal?: AbortSignal;
}

/** A configuration with what led to it. */
export interface StrategyPlan {
  readonly type: StrategyType;
  readonly configuration: StrategyConfiguration;
  readonly analysis: WorkloadAnalysis;
  /** What the first level would have done with the workload. */
  readonly expected: { readonly hitRatio: number; readonly staleRatio: number | null };
  readonly reasons: readonly Reason[];
  /** Constraints that no configuration met, in words. */
  readonly unmet: readonly string[];
}

/** Makes a configuration for a workload: analyses it, asks the advisors, and says why. */
@Injectable()
export class StrategyPlanner {
  constructor(
    private readonly analyser: WorkloadAnalyser,
    private readonly eviction: EvictionAdvisor,
    private readonly lifetime: LifetimeAdvisor,
  ) {}

  async plan({ workload, constraints, samples, signal, ...request }: PlanRequest) {
    const { maxBytes } = constraints;
    const analysis = await this.analyser.analyse(workload, maxBytes, samples, signal);
    const lifetime = await this.lifetime.advise(workload, constraints, signal);
    const advice = await this.eviction.advise(workload, constraints, {
      ttlMs: lifetime.ttlMs,
      signal,
    });
    const { best } = advice;
    const { ttlMs, outcome } = best;
    const staleRatio = lifetime.staleRatio === null ? null : outcome.staleRatio;
    const chosen = typeFor(request.type, analysis, { ttlMs, maxBytes, hitRatio: outcome.hitRatio });
    const compression = compressionFor(chosen.value, analysis);
    const warmUp = warmUpFor(analysis, best.maxBytes);
    const prefetch = prefetchFor(analysis);
    const configuration = configurationSchema.parse({
      maxBytes: Math.max(64 * 1024, best.maxBytes),
      maxItems: Math.max(1_000, analysis.distinctKeys * 4),
      ttlMs,
      policy: best.policy,
      compressFromBytes: compression.value,
      keyPatterns: analysis.keyPatterns,
      warmUp: warmUp.value,
      prefetch: prefetch.value,
    });
    const size: Reason = {
      of: 'maxBytes',
      text: `${inBytes(best.maxBytes)} answer ${inPercent(outcome.hitRatio)} of the reads; all of the ${inBytes(maxBytes)} must save ${inPercent(constraints.memoryPrice)} of them to be worth taking, and more room than this does not pay that.`,
    };
    const next = advice.others[0];
    const policy: Reason = {
      of: 'policy',
      text:
        next === undefined
          ? `${best.policy} is the only policy that was tried.`
          : `${best.policy} misses ${inPercent(1 - best.outcome.hitRatio)} of the reads in its room; the next best, ${next.policy}, ${inPercent(1 - next.outcome.hitRatio)} in ${inBytes(next.maxBytes)}.`,
    };
    return {
      type: chosen.value,
      configuration,
      analysis,
      expected: { hitRatio: outcome.hitRatio, staleRatio },
      reasons: [
        chosen.reason,
        size,
        policy,
        { of: 'ttlMs', text: lifetimeReason(ttlMs, staleRatio, constraints) },
        compression.reason,
        warmUp.reason,
        prefetch.reason,
      ],
      unmet: unmetOf(constraints, outcome.hitRatio, staleRatio),
    } satisfies StrategyPlan;
  }
}

function lifetimeReason(
  ttlMs: number,
  staleRatio: number | null,
  constraints: StrategyConstraints,
): string {
  const bound = `${constraints.maxStalenessMs} ms is the longest that a value may be outdated`;
  if (staleRatio === null) {
    return `${bound}; the workload does not say when values change, so entries live that long.`;
  }
  const part = `${inPercent(staleRatio)} of the reads get something that has changed, ${inPercent(constraints.maxStaleRatio)} are allowed`;
  return ttlMs >= constraints.maxStalenessMs
    ? `${bound}, and with it ${part}.`
    : `${bound}; entries live ${ttlMs} ms, because then ${part}.`;
}

function unmetOf(
  constraints: StrategyConstraints,
  hitRatio: number,
  staleRatio: number | null,
): string[] {
  const unmet: string[] = [];
  const { minHitRatio = 0 } = constraints;
  if (hitRatio < minHitRatio) {
    unmet.push(
      `A hit ratio of ${inPercent(minHitRatio)} was asked for; ${inPercent(hitRatio)} is what ${inBytes(constraints.maxBytes)} reach on this workload.`,
    );
  }
  if (staleRatio !== null && staleRatio > constraints.maxStaleRatio) {
    unmet.push(
      `At most ${inPercent(constraints.maxStaleRatio)} of the reads may be outdated; values change so often that ${inPercent(staleRatio)} are.`,
    );
  }
  return unmet;
}
