import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CacheHub } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { JobsHealth } from '#libs/jobs';
import { redisSettings } from '#libs/persistence';
import { CacheComponent } from './components/cache.component.js';
import { DatabaseComponent } from './components/database.component.js';
import {
  DiskComponent,
  EventLoopComponent,
  MemoryComponent,
} from './components/process.components.js';
import { QueueComponent } from './components/queue.component.js';
import type { HealthComponent } from './health-component.js';
import { HEALTH_COMPONENTS, HealthMonitor } from './health-monitor.js';
import { healthSettings } from './health.settings.js';

/** Watches what the process needs: database, Redis, queue, cache, disk, memory and event loop. */
@Module({})
export class HealthModule {
  /** `databaseUrl` is that of the application's own data source. */
  static forRoot(databaseUrl: string): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      providers: [
        HealthMonitor,
        {
          provide: HEALTH_COMPONENTS,
          useFactory: (store: SettingsStore, jobs: JobsHealth, cache: CacheHub) =>
            createComponents(databaseUrl, store, jobs, cache),
          inject: [SettingsStore, JobsHealth, CacheHub],
        },
      ],
      exports: [HealthMonitor, TerminusModule],
    };
  }
}

async function createComponents(
  databaseUrl: string,
  store: SettingsStore,
  jobs: JobsHealth,
  cache: CacheHub,
): Promise<readonly HealthComponent[]> {
  const { timeoutMs, diskPath } = store.get(healthSettings);
  const live = () => store.get(healthSettings);
  const { url: redisUrl } = store.get(redisSettings);
  const components: HealthComponent[] = [
    new DatabaseComponent(databaseUrl, timeoutMs),
    new QueueComponent(jobs),
    new CacheComponent(cache),
    new DiskComponent(diskPath, () => live().minFreeDiskBytes),
    new MemoryComponent(() => live().maxMemoryRatio),
    new EventLoopComponent(() => live().maxEventLoopDelayMs),
  ];
  if (redisUrl !== undefined) {
    // Loaded only where there is a Redis.
    const { RedisComponent } = await import('./components/redis.component.js');
    components.push(new RedisComponent(redisUrl, timeoutMs));
  }
  return components;
}
