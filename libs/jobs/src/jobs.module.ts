import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { JobMetadataAccessor } from './job-metadata.accessor.js';
import { JobBrowser } from './job-browser.js';
import { JobQueue } from './job-queue.js';
import { JobRegistry } from './job-registry.js';
import { JobExplorer } from './job.explorer.js';
import { JobsHealth } from './jobs-health.js';
import { JobsFeature, type JobsFeatureOptions } from './jobs-feature.js';
import { JOBS_ROOT_OPTIONS, type JobsRootOptions, JobsRuntime } from './jobs.runtime.js';
import { ExpiredRowsRegistry } from './purge/expired-rows.registry.js';
import { PurgeExpiredJob } from './purge/purge-expired.job.js';

/** Queues, workers and schedules for the whole application. */
@Module({})
export class JobsModule {
  /** Once, in the root module: makes `JobQueue` and `JobsHealth` injectable everywhere. */
  static forRoot(options: JobsRootOptions = {}): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      imports: [DiscoveryModule],
      providers: [
        { provide: JOBS_ROOT_OPTIONS, useValue: options },
        JobRegistry,
        ExpiredRowsRegistry,
        JobMetadataAccessor,
        JobExplorer,
        JobsRuntime,
        PurgeExpiredJob,
        {
          provide: JobQueue,
          useFactory: ({ queue }: JobsRuntime) => queue,
          inject: [JobsRuntime],
        },
        {
          provide: JobBrowser,
          useFactory: ({ browser }: JobsRuntime) => browser,
          inject: [JobsRuntime],
        },
        {
          provide: JobsHealth,
          useFactory: ({ health }: JobsRuntime) => health,
          inject: [JobsRuntime],
        },
      ],
      exports: [JobQueue, JobBrowser, JobsHealth],
    };
  }

  /** In each module that enqueues jobs or has rows that expire. */
  static forFeature(options: JobsFeatureOptions): DynamicModule {
    return {
      module: JobsFeatureModule,
      providers: [{ provide: JobsFeature, useValue: new JobsFeature(options) }],
    };
  }
}

@Module({})
class JobsFeatureModule {}
