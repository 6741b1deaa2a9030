import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER, APP_INTERCEPTOR, APP_PIPE, DiscoveryModule } from '@nestjs/core';
import { ConfigModule } from '#libs/config';
import { LoggingModule } from '#libs/logging';
import { IdempotencyStore, PersistenceModule, PostgresIdempotencyStore } from '#libs/persistence';
import type { Platform } from '../../shared/src/platform.js';
import { ConfigController } from './config.controller.js';
import { IdempotencyInterceptor } from './http/idempotency.interceptor.js';
import { ProblemFilter } from './http/problem.filter.js';
import { ValidationPipe } from './http/validation.pipe.js';

/** Everything that the API is composed of. */
@Module({})
export class AppModule {
  static forRoot(platform: Platform): DynamicModule {
    return {
      module: AppModule,
      imports: [
        DiscoveryModule,
        ConfigModule.forRoot(platform.store, platform.watcher),
        LoggingModule.forRoot(platform.log),
        PersistenceModule.forRoot(platform.dataSource),
      ],
      controllers: [ConfigController],
      providers: [
        { provide: APP_PIPE, useClass: ValidationPipe },
        { provide: APP_FILTER, useClass: ProblemFilter },
        { provide: APP_INTERCEPTOR, useClass: IdempotencyInterceptor },
        { provide: IdempotencyStore, useClass: PostgresIdempotencyStore },
      ],
    };
  }
}
