import { Injectable } from '@nestjs/common';
import { RootLogger } from '#libs/logging';
import { StrategyStatusError, StrategyUndefinedError } from './errors/strategy.errors.js';
import type { Provenance } from './model/cache-strategy.js';
import {
  type ChangeType,
  configurationSchema,
  type StrategyConfiguration,
  type StrategyConstraints,
  constraintsSchema,
  type StrategyType,
  type WorkloadRequest,
} from './model/strategy.schemas.js';
import type { OptimisationResult } from './optimiser/optimisation-result.js';
import { StrategyOptimiser, summaryOf } from './optimiser/strategy-optimiser.js';
import { StrategyPlanner, type StrategyPlan } from './planning/strategy-planner.js';
import { StrategyRegistry } from './registry/strategy-registry.js';
import type { StrategyStore } from './store/strategy-store.js';
import { WorkloadSource } from './workload/workload-source.js';

/** A strategy to be made: with a configuration, or with a workload to make one from, or both. */
export interface StrategyRequest {
  readonly name: string;
  /** Chosen from the workload when it is not given; `hybrid` without a workload. */
  readonly type?: StrategyType | undefined;
  readonly workload?: WorkloadRequest | undefined;
  readonly constraints?: Partial<StrategyConstraints> | undefined;
  /** Stands above what is generated. */
  readonly configuration?: Partial<StrategyConfiguration> | undefined;
  /** Id of the user, or what else asks for it. */
  readonly by: string;
}

/** What was made, with the plan that it was made by. */
export interface CreatedStrategy {
  readonly store: StrategyStore;
  readonly plan: StrategyPlan | undefined;
}

export interface StrategyChange {
  /** The change is refused when the strategy has another version. */
  readonly version?: number | undefined;
  readonly status?: 'active' | 'disabled' | undefined;
  readonly configuration?: Partial<StrategyConfiguration> | undefined;
  readonly by: string;
}

/** Makes, changes and optimises cache strategies. */
@Injectable()
export class CacheStrategies {
  constructor(
    private readonly registry: StrategyRegistry,
    private readonly source: WorkloadSource,
    private readonly planner: StrategyPlanner,
    private readonly optimiser: StrategyOptimiser,
    private readonly log: RootLogger,
  ) {}

  /**
   * Analyses the workload, makes a configuration within the constraints, and opens the strategy's
   * levels. Throws `CACHE_STRATEGY_NAME_TAKEN`, `CACHE_WORKLOAD_TOO_SMALL`,
   * `CACHE_STRATEGY_LEVEL_MISSING`, `CACHE_POLICY_UNKNOWN`.
   */
  async createCacheStrategy(request: StrategyRequest): Promise<CreatedStrategy> {
    const { name, by, configuration: given = {} } = request;
    if (request.workload === undefined && request.configuration === undefined) {
      throw new StrategyUndefinedError();
    }
    const constraints = constraintsSchema.parse(request.constraints ?? {});
    const plan =
      request.workload === undefined
        ? undefined
        : await this.plan(request.workload, request.type, constraints);
    const configuration = configurationSchema.parse({ ...plan?.configuration, ...given });
    const provenance: Provenance = {
      createdBy: by,
      origin: plan === undefined ? 'given' : 'generated',
      analysis: plan?.analysis ?? null,
      constraints: plan === undefined && request.constraints === undefined ? null : constraints,
      reasons: (plan?.reasons ?? []).filter(({ of }) => !(of in given)),
      unmet: plan?.unmet ?? [],
      optimisations: [],
    };
    const type = plan?.type ?? request.type ?? 'hybrid';
    const store = await this.registry.create({ name, type, configuration, provenance });
    this.log.module('cache').info('A cache strategy was made', { strategy: name, type, by });
    return { store, plan };
  }

  /** What `createCacheStrategy` would make of a workload. */
  async plan(
    request: WorkloadRequest,
    type: StrategyType | undefined,
    constraints: StrategyConstraints,
  ): Promise<StrategyPlan> {
    const { workload, samples } = await this.source.read(request);
    return this.planner.plan({ workload, samples, type, constraints });
  }

  /**
   * Measures the strategy, looks for changes, applies and verifies each, and takes back what made it
   * worse. Throws `CACHE_STRATEGY_NOT_FOUND`, `CACHE_STRATEGY_STATUS`.
   */
  async optimizeCachePerformance(
    strategy: string,
    skipTypes: readonly ChangeType[],
    by: string,
    signal?: AbortSignal,
  ): Promise<OptimisationResult> {
    const result = await this.optimiser.optimise(strategy, { skipTypes, by, signal });
    this.log.module('cache').info('A cache strategy was optimised', {
      strategy,
      by,
      outcome: summaryOf(result),
    });
    return result;
  }

  /** Throws `CACHE_STRATEGY_NOT_FOUND`, `CACHE_STRATEGY_CHANGED`, `CACHE_STRATEGY_STATUS`. */
  async change(strategy: string, change: StrategyChange): Promise<StrategyStore> {
    const { current } = this.registry.get(strategy);
    if (current.status === 'optimizing' && change.configuration !== undefined) {
      throw new StrategyStatusError(current.name, 'optimizing', 'its configuration is at work.');
    }
    const configuration =
      change.configuration === undefined
        ? undefined
        : configurationSchema.parse({ ...current.configuration, ...change.configuration });
    const store = await this.registry.update(current.id, change.version ?? current.version, {
      status: change.status,
      configuration,
    });
    this.log.module('cache').info('A cache strategy was changed', {
      strategy: current.name,
      by: change.by,
      status: change.status,
      configuration: change.configuration,
    });
    return store;
  }

  async delete(strategy: string, by: string): Promise<void> {
    const { name } = this.registry.get(strategy).current;
    await this.registry.delete(strategy);
    this.log.module('cache').info('A cache strategy was deleted', { strategy: name, by });
  }
}
