import { type DynamicModule, Module } from '@nestjs/common';
import type { Platform } from '../../shared/src/platform.js';
import { PlatformModule } from '../../shared/src/platform.module.js';

/** The worker: the platform, with its jobs running and nothing reached over HTTP. */
@Module({})
export class WorkerModule {
  static forRoot(platform: Platform): DynamicModule {
    return {
      module: WorkerModule,
      imports: [PlatformModule.forRoot(platform, { workers: true, startDelayMs: 0 })],
    };
  }
}
