import type { Provider } from '@nestjs/common';
import { CacheRuntime } from '../cache.runtime.js';
import { CacheStrategySource } from '../decorators/cache-strategy.source.js';
import { EvictionPolicyRegistry } from '../l1/eviction-policy.registry.js';
import { SharedLevels } from '../managers/shared-levels.js';
import { AutoTuneJob } from './auto-tune.job.js';
import { CacheStrategies } from './cache-strategies.js';
import { ChangeProposer } from './optimiser/change-proposer.js';
import { ChangeVerifier } from './optimiser/change-verifier.js';
import { StrategyOptimiser } from './optimiser/strategy-optimiser.js';
import { WindowMeasurer } from './optimiser/window-measurer.js';
import { EvictionAdvisor } from './planning/eviction-advisor.js';
import { LifetimeAdvisor } from './planning/lifetime-advisor.js';
import { StrategyPlanner } from './planning/strategy-planner.js';
import { RegisteredStrategies } from './registered-strategies.js';
import { StrategyRegistry } from './registry/strategy-registry.js';
import { StrategyRepository } from './registry/strategy.repository.js';
import { StrategyWarmUps } from './strategy-warm-ups.js';
import { StrategyLevels } from './store/strategy-levels.js';
import { StrategyMeter } from './store/strategy-meter.js';
import { WorkloadAnalyser } from './workload/workload-analyser.js';
import { WorkloadSource } from './workload/workload-source.js';

/** The parts of the strategies; each can be replaced by overriding its class. */
export const strategyProviders: readonly Provider[] = [
  {
    provide: SharedLevels,
    useFactory: ({ levels }: CacheRuntime) => levels,
    inject: [CacheRuntime],
  },
  { provide: EvictionPolicyRegistry, useFactory: () => new EvictionPolicyRegistry() },
  { provide: CacheStrategySource, useClass: RegisteredStrategies },
  StrategyRepository,
  StrategyLevels,
  StrategyRegistry,
  StrategyMeter,
  WorkloadSource,
  WorkloadAnalyser,
  EvictionAdvisor,
  LifetimeAdvisor,
  StrategyPlanner,
  ChangeProposer,
  ChangeVerifier,
  WindowMeasurer,
  StrategyOptimiser,
  CacheStrategies,
  StrategyWarmUps,
  AutoTuneJob,
];
