export { CacheModule } from './cache.module.js';
export { CacheRuntime } from './cache.runtime.js';
export type { CacheRuntimeParts } from './cache.runtime.js';
export { cacheControllers } from './http/index.js';
export { cacheSettings } from './cache.settings.js';
export type { CacheSettings } from './cache.settings.js';
export { Caches } from './managers/caches.js';
export type { Namespace, NamespaceOptions } from './managers/caches.js';
export { CACHE_KINDS } from './managers/cache-kind.js';
export type { CacheKind } from './managers/cache-kind.js';
export type { CacheEntry } from './entry/cache-entry.js';
export { EntryCodec } from './entry/entry-codec.js';
export type { CodecCounts } from './entry/codec-counts.js';
export type { EntryCodecOptions } from './entry/entry-codec.js';
export type { EncryptionKey } from './entry/entry-cipher.js';
export type { SerializerName } from './entry/serializer.js';
export { CacheTier } from './tier/cache-tier.js';
export type { TierCall, TierRead, TierWrite } from './tier/cache-tier.js';
export { MemoryTier } from './tier/memory.tier.js';
export { RedisTier } from './tier/redis.tier.js';
export { KeyvTier } from './tier/keyv.tier.js';
export { PostgresTier } from './tier/postgres.tier.js';
export type { SqlClient } from './tier/sql-client.js';
export { cacheMigrations } from './migrations/index.js';
export { VersionStore } from './versions/version-store.js';
export type { VersionRead } from './versions/version-store.js';
export { MemoryVersionStore } from './versions/memory.version-store.js';
export { PostgresVersionStore } from './versions/postgres.version-store.js';
export { RedisVersionStore } from './versions/redis.version-store.js';
export { MemoryStore } from './l1/memory-store.js';
export type {
  MemoryEntry,
  MemorySetOptions,
  MemoryStoreOptions,
  MemoryStoreStats,
  RemovalListener,
  RemovalReason,
} from './l1/memory-store.types.js';
export { EvictionPolicy } from './l1/eviction-policy.js';
export type { EvictionPolicyFactory, PolicyDescription } from './l1/eviction-policy.js';
export { EvictionPolicyRegistry } from './l1/eviction-policy.registry.js';
export type { EntryScore, ScoredEntry } from './l1/policies/scored.policy.js';
export type { SlotTable } from './l1/slot-table.js';
export { sizeOf } from './l1/sizer.js';
export { Backplane } from './backplane/backplane.js';
export type { BackplaneEvents } from './backplane/backplane.js';
export { MemoryBackplane, MemoryBus } from './backplane/memory.backplane.js';
export { PostgresBackplane } from './backplane/postgres.backplane.js';
export { RedisBackplane } from './backplane/redis.backplane.js';
export { LeaseStore } from './lease/lease-store.js';
export { PostgresLeaseStore } from './lease/postgres.lease-store.js';
export { RedisLeaseStore } from './lease/redis.lease-store.js';
export { Cache } from './engine/cache.js';
export { learnedTtl } from './engine/learned-ttl.js';
export type { LearnedTtlOptions } from './engine/learned-ttl.js';
export { CacheHub } from './engine/cache-hub.js';
export type { Answer } from './engine/answer.js';
export type { CacheOptions, EntryOptions } from './engine/cache.options.js';
export type { CacheHubOptions, HubTierOptions } from './engine/hub.options.js';
export type { InvalidationReceipt } from './engine/hub-parts.js';
export type { Load, LoadContext } from './engine/loader.js';
export {
  cacheAnswer,
  cacheFault,
  cacheInvalidation,
  cacheLoad,
  cacheState,
} from './statistics/cache.channels.js';
export type {
  CacheAnswer,
  CacheFault,
  CacheInvalidation,
  CacheLoad,
  CacheSource,
  CacheState,
} from './statistics/cache.channels.js';
export type {
  CacheStatistics,
  KeyInfo,
  LevelReads,
  LevelStatistics,
} from './statistics/cache-statistics.js';
export { TopKeys } from './statistics/top-keys.js';
export type { TopKey } from './statistics/top-keys.js';
export { CacheDecodeError, CacheEncodeError } from './errors/cache-codec.error.js';
export { CacheLoadTimeoutError } from './errors/cache-load-timeout.error.js';
export { CacheOptionsError } from './errors/cache-options.error.js';
export { CacheUnavailableError } from './errors/cache-unavailable.error.js';
export { KeyvIncompatibleError } from './errors/keyv-incompatible.error.js';
export { assertKeyvMajor } from './facade/keyv-major.js';
export { CACHE_MANAGER, CacheManagerFacade } from './facade/cache-manager.facade.js';
export type { CacheManagerEvents, WrapOptions } from './facade/cache-manager.facade.js';
export { TtlLearner } from './l1/ttl-learner.js';
export type { LearntTtl, TtlLearnerOptions } from './l1/ttl-learner.js';
export { Cacheable, CacheEvict, CachePut, Caching } from './decorators/cacheable.decorator.js';
export type {
  CacheableOptions,
  CacheEvictOptions,
  CachePutOptions,
  CachingOptions,
  VaryBy,
} from './decorators/cacheable.options.js';
export type { CachedRequest } from './decorators/cached-request.js';
export { CacheStrategySource } from './decorators/cache-strategy.source.js';
export type { CacheStrategyOptions } from './decorators/cache-strategy.source.js';
export { ResponseCaching } from './decorators/response-caching.js';
export type { CachedHandler } from './decorators/response-caching.js';
export { AccessRecorder } from './learning/access-recorder.js';
export type {
  AccessBatch,
  AccessRecorderOptions,
  RecordedAccess,
} from './learning/access-recorder.js';
export type { AccessTap } from './engine/access-tap.js';
export { KeyPredictor } from './learning/key-predictor.js';
export type { KeySuccessors, Prediction } from './learning/key-predictor.js';
export { SuccessorPredictor } from './learning/successor-predictor.js';
export type { SuccessorPredictorOptions } from './learning/successor-predictor.js';
export type { KeyLoad, KeySource } from './learning/key-source.js';
export { Prefetcher } from './learning/prefetcher.js';
export type { PrefetchCounts, PrefetcherParts } from './learning/prefetcher.js';
export { resolvePrefetchOptions } from './learning/prefetch.options.js';
export type { PrefetchOptions, ResolvedPrefetchOptions } from './learning/prefetch.options.js';
export { workloadOf } from './strategies/workload/workload.js';
export type { Access, Workload } from './strategies/workload/workload.js';
export { WorkloadAnalyser } from './strategies/workload/workload-analyser.js';
export type { WorkloadAnalysis } from './strategies/workload/workload-analysis.js';
export { costOf, EvictionAdvisor } from './strategies/planning/eviction-advisor.js';
export { LifetimeAdvisor } from './strategies/planning/lifetime-advisor.js';
export { StrategyPlanner } from './strategies/planning/strategy-planner.js';
export type { StrategyPlan } from './strategies/planning/strategy-planner.js';
export { CacheLearning, KeyPredictors } from './learning/cache-learning.js';
export type { NamespaceLearning } from './learning/namespace-learning.js';
export { cacheLearningSettings } from './learning/learning.settings.js';
export type { CacheLearningSettings } from './learning/learning.settings.js';
export { cacheWarmingSettings } from './warming/warming.settings.js';
export type { CacheWarmingSettings } from './warming/warming.settings.js';
export { WarmUp } from './warming/warm-up.decorator.js';
export type { WarmUpOptions } from './warming/warm-up.options.js';
export { HotSetStore } from './warming/hot-set.store.js';
export type { HotKeyReads, HotKeyRecipe, HourReads } from './warming/hot-set.store.js';
export { PoolHeadroom } from './warming/pool-headroom.js';
export type { WarmUpReport } from './warming/warm-up.runner.js';
export { warmCache } from './warming/warm-cache.job.js';
export type { WarmCacheResult } from './warming/warm-cache.job.js';
export { CacheWarmUpError, CacheWarmUpUnknownError } from './warming/errors/cache-warm-up.error.js';
export { DiskStore } from './tier/disk.store.js';
export { DiskTier } from './tier/disk.tier.js';
export { CacheStrategies } from './strategies/cache-strategies.js';
export type { StrategyRequest } from './strategies/cache-strategies.js';
export { StrategyRegistry } from './strategies/registry/strategy-registry.js';
export { SharedLevels } from './managers/shared-levels.js';
export { strategyOf } from './strategies/model/cache-strategy.js';
export { STRATEGY_TYPES } from './strategies/model/strategy.schemas.js';
export type { StrategyType } from './strategies/model/strategy.schemas.js';
export { StrategyLevels } from './strategies/store/strategy-levels.js';
export { StrategyStore } from './strategies/store/strategy-store.js';
export { PolicySwitch } from './strategies/store/switchable-policy.js';
export { CachedQueryResultStore } from './query-results/cached-query-result.store.js';
