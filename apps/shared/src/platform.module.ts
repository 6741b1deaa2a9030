import { type DynamicModule, Module } from '@nestjs/common';
import { ConfigModule, SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { AuthModule } from '#libs/auth';
import { CacheModule } from '#libs/cache';
import { ContextModule } from '#libs/context';
import { Compression } from '#libs/http';
import { IndexAdvisorModule } from '#libs/index-advisor';
import { JobsModule, type JobsRootOptions } from '#libs/jobs';
import { LoggingModule } from '#libs/logging';
import { MetricsModule } from '#libs/metrics';
import { EntityLoader, PersistenceModule, PoolOverseer, QueryInsights } from '#libs/persistence';
import { ResilienceModule } from '#libs/resilience';
import { compressionSettings } from './compression.settings.js';
import type { Platform } from './platform.js';

/** What the API and the worker have in common: everything but HTTP. */
@Module({})
export class PlatformModule {
  static forRoot(platform: Platform, jobs: JobsRootOptions = {}): DynamicModule {
    return {
      module: PlatformModule,
      global: true,
      imports: [
        ConfigModule.forRoot(platform.store, platform.watcher),
        LoggingModule.forRoot(platform.log),
        MetricsModule.forRoot({ service: platform.log.service }),
        PersistenceModule.forRoot(platform.dataSource),
        ResilienceModule.forRoot(),
        JobsModule.forRoot({ loginPath: '/v1/auth/login', ...jobs }),
        JobsModule.forFeature({
          expiredRows: [
            { owner: 'http.idempotency_key', table: 'idempotency_key', where: 'expires_at < $1' },
            { owner: 'resilience.rate_limit', table: 'rate_limit', where: 'expires_at < $1' },
          ],
        }),
        CacheModule.forRoot(),
        AuthModule,
        ContextModule,
        IndexAdvisorModule,
      ],
      providers: [
        { provide: Clock, useValue: platform.clock },
        {
          provide: Compression,
          useFactory: (store: SettingsStore) =>
            new Compression(() => store.get(compressionSettings)),
          inject: [SettingsStore],
        },
        EntityLoader,
        PoolOverseer,
        QueryInsights,
      ],
      exports: [
        Clock,
        Compression,
        EntityLoader,
        PoolOverseer,
        QueryInsights,
        ContextModule,
        IndexAdvisorModule,
      ],
    };
  }
}
