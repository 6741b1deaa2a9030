import { type DynamicModule, Module } from '@nestjs/common';
import { HealthModule, healthSettings } from '#libs/health';
import { httpSettings } from '../../shared/src/http.settings.js';
import type { Platform } from '../../shared/src/platform.js';
import { PlatformModule } from '../../shared/src/platform.module.js';

/**
 * The worker: the platform, with its jobs running. Nothing is reached over HTTP but its health and
 * its metrics, when there is a port for them.
 */
@Module({})
export class WorkerModule {
  static forRoot(platform: Platform): DynamicModule {
    const { store, databaseUrl } = platform;
    const hasPort = store.get(healthSettings).port !== undefined;
    const { host } = store.get(httpSettings);
    return {
      module: WorkerModule,
      imports: [
        PlatformModule.forRoot(platform, { workers: true, startDelayMs: 0 }),
        ...(hasPort ? [HealthModule.forRoot({ databaseUrl, host })] : []),
      ],
    };
  }
}
