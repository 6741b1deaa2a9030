import { type DynamicModule, Module, type OnModuleInit } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { QueryCache, redisSettings } from '#libs/persistence';
import { DataSource } from 'typeorm';
import { CacheControl } from './administration/cache-control.js';
import { CacheOverview } from './administration/cache-overview.js';
import { administrationProviders } from './administration/index.js';
import { CacheRuntime } from './cache.runtime.js';
import { CacheShutdownModule } from './cache-shutdown.module.js';
import { CacheHub } from './engine/cache-hub.js';
import { EntryCodec } from './entry/entry-codec.js';
import { CACHE_MANAGER, CacheManagerFacade } from './facade/cache-manager.facade.js';
import { CacheLearning } from './learning/cache-learning.js';
import { learningProviders } from './learning/learning.providers.js';
import { Caches } from './managers/caches.js';
import { CacheDecoratorsModule } from './decorators/cache-decorators.module.js';
import { CacheStrategySource } from './decorators/cache-strategy.source.js';
import { CacheStrategies } from './strategies/cache-strategies.js';
import { StrategyRegistry } from './strategies/registry/strategy-registry.js';
import { StrategyMeter } from './strategies/store/strategy-meter.js';
import { StrategyWarmUps } from './strategies/strategy-warm-ups.js';
import { strategyProviders } from './strategies/strategy.providers.js';
import { metricsProviders } from './metrics/index.js';
import { warmingProviders } from './warming/warming.providers.js';
import { WarmUpTargets } from './warming/warm-up.targets.js';
import { queryResultProviders } from './query-results/index.js';
import { responseProviders } from './response/index.js';

/** Namespace of what users of `CACHE_MANAGER` store. */
const CACHE_MANAGER_NAMESPACE = 'cache-manager';

/**
 * The cache of the application. Once, in the root module: makes `Caches`, `CacheHub` and
 * `CACHE_MANAGER` injectable everywhere. It needs `SettingsStore`, `Clock` and `DataSource` from
 * global modules. Routes are mounted by the app: `cacheControllers`.
 */
@Module({})
export class CacheModule implements OnModuleInit {
  constructor(private readonly runtime: CacheRuntime) {}

  static forRoot(): DynamicModule {
    return {
      module: CacheModule,
      global: true,
      imports: [DiscoveryModule, CacheDecoratorsModule, CacheShutdownModule],
      providers: [
        {
          provide: CacheRuntime,
          useFactory: (store: SettingsStore, clock: Clock, dataSource: DataSource) =>
            CacheRuntime.create({ store, redis: store.get(redisSettings), clock, dataSource }),
          inject: [SettingsStore, Clock, DataSource],
        },
        part(CacheHub, ({ hub }) => hub),
        part(Caches, ({ caches }) => caches),
        part(EntryCodec, ({ codec }) => codec),
        {
          provide: CACHE_MANAGER,
          useFactory: (caches: Caches) =>
            new CacheManagerFacade(caches.open(CACHE_MANAGER_NAMESPACE)),
          inject: [Caches],
        },
        ...learningProviders,
        ...warmingProviders,
        ...administrationProviders,
        ...metricsProviders,
        ...strategyProviders,
        ...responseProviders,
        ...queryResultProviders,
      ],
      exports: [
        CacheRuntime,
        CacheHub,
        Caches,
        CACHE_MANAGER,
        QueryCache,
        CacheLearning,
        WarmUpTargets,
        CacheOverview,
        CacheControl,
        CacheStrategies,
        StrategyRegistry,
        StrategyMeter,
        StrategyWarmUps,
        CacheStrategySource,
      ],
    };
  }

  onModuleInit(): Promise<void> {
    return this.runtime.start();
  }
}

function part<Part extends object>(
  token: abstract new (...args: never[]) => Part,
  pick: (runtime: CacheRuntime) => Part,
) {
  return { provide: token, useFactory: pick, inject: [CacheRuntime] };
}
