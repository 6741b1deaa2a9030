import { type DynamicModule, Module, type Type } from '@nestjs/common';
import { APP_FILTER, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { authControllers } from '#libs/auth';
import { cacheControllers } from '#libs/cache';
import { contextControllers } from '#libs/context';
import { HealthController, HealthModule } from '#libs/health';
import { indexAdvisorControllers } from '#libs/index-advisor';
import { jobsControllers } from '#libs/jobs';
import { MetricsController, PerfMetricsController } from '#libs/metrics';
import {
  IdempotencyStore,
  persistenceControllers,
  PostgresIdempotencyStore,
} from '#libs/persistence';
import { resilienceControllers } from '#libs/resilience';
import { httpSettings } from '../../shared/src/http.settings.js';
import type { Platform } from '../../shared/src/platform.js';
import { PlatformModule } from '../../shared/src/platform.module.js';
import { ConfigController } from './config.controller.js';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ValidationPipe } from './http/validation.pipe.js';

/** The API: the platform, what is reached over HTTP, and modules of who embeds it. */
@Module({})
export class AppModule {
  static forRoot(platform: Platform, modules: readonly Type[] = []): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DiscoveryModule,
        PlatformModule.forRoot(platform),
        HealthModule.forRoot({
          databaseUrl: platform.databaseUrl,
          host: platform.store.get(httpSettings).host,
        }),
        ...modules,
      ],
      controllers: [
        ...authControllers,
        ...cacheControllers,
        ...contextControllers,
        ...indexAdvisorControllers,
        ...jobsControllers,
        ...persistenceControllers,
        ...resilienceControllers,
        ConfigController,
        HealthController,
        MetricsController,
        PerfMetricsController,
      ],
      providers: [
        { provide: APP_PIPE, useClass: ValidationPipe },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: IdempotencyStore, useClass: PostgresIdempotencyStore },
        IdempotencyInterceptor,
      ],
    };
  }
}
