import { type DynamicModule, Module } from '@nestjs/common';
import { DiscoveryModule } from '@nestjs/core';
import { BoardSessions } from './board/board-sessions.js';
import { JobBoard } from './board/job-board.js';
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

const OWN_EXPIRED_ROWS = [
  { owner: 'jobs.board_session', table: 'job_board_session', where: 'expires_at < $1' },
] as const;

/** Queues, workers and schedules for the whole application. */
@Module({})
export class JobsModule {
  /** Once, in the root module: makes `JobQueue` and `JobsHealth` injectable everywhere. */
  static forRoot(options: JobsRootOptions = {}): DynamicModule {
    return {
      module: JobsModule,
      global: true,
      imports: [DiscoveryModule, JobsModule.forFeature({ expiredRows: OWN_EXPIRED_ROWS })],
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
          provide: JobBoard,
          useFactory: ({ board }: JobsRuntime) => board,
          inject: [JobsRuntime],
        },
        BoardSessions,
        {
          provide: JobsHealth,
          useFactory: ({ health }: JobsRuntime) => health,
          inject: [JobsRuntime],
        },
      ],
      exports: [JobQueue, JobBrowser, JobsHealth, JobBoard, BoardSessions, JOBS_ROOT_OPTIONS],
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
