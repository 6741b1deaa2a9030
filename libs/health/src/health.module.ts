import { type DynamicModule, Module } from '@nestjs/common';
import { TerminusModule } from '@nestjs/terminus';
import { CacheHub } from '#libs/cache';
import { SettingsStore } from '#libs/config';
import { JobsHealth } from '#libs/jobs';
import { redisSettings } from '#libs/persistence';
import { MemoryWatch } from '#libs/resilience';
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
import { HealthSummaries } from './health-summaries.js';
import { healthSettings } from './health.settings.js';
import { HEALTH_HOST, HealthPort } from './port/health-port.js';

/** What the health of a process depends on beside its settings. */
export interface HealthModuleOptions {
  /** That of the application's own data source. */
  readonly databaseUrl: string;
  /** Address that the health port listens on unless `health.host` is set. */
  readonly host: string;
}

/**
 * Watches what the process needs: database, Redis, queue, cache, disk, memory and event loop, and
 * answers for it on a port of its own when `health.port` is set.
 */
@Module({})
export class HealthModule {
  static forRoot({ databaseUrl, host }: HealthModuleOptions): DynamicModule {
    return {
      module: HealthModule,
      imports: [TerminusModule.forRoot({ logger: false })],
      providers: [
        HealthMonitor,
        HealthSummaries,
        HealthPort,
        { provide: HEALTH_HOST, useValue: host },
        {
          provide: HEALTH_COMPONENTS,
          useFactory: (
            store: SettingsStore,
            jobs: JobsHealth,
            cache: CacheHub,
            memory: MemoryWatch,
          ) => createComponents(databaseUrl, store, jobs, cache, memory),
          inject: [SettingsStore, JobsHealth, CacheHub, MemoryWatch],
        },
      ],
      exports: [HealthMonitor, HealthPort, HealthSummaries, TerminusModule],
    };
  }
}

async function createComponents(
  databaseUrl: string,
  store: SettingsStore,
  jobs: JobsHealth,
  cache: CacheHub,
  memory: MemoryWatch,
): Promise<readonly HealthComponent[]> {
  const { timeoutMs, diskPath } = store.get(healthSettings);
  const live = () => store.get(healthSettings);
  const { url: redisUrl } = store.get(redisSettings);
  const components: HealthComponent[] = [
    new DatabaseComponent(databaseUrl, timeoutMs),
    new QueueComponent(jobs),
    new CacheComponent(cache),
    new DiskComponent(diskPath, () => live().minFreeDiskBytes),
    new MemoryComponent(memory, () => live().maxMemoryRatio),
    new EventLoopComponent(() => live().maxEventLoopDelayMs),
  ];
  if (redisUrl !== undefined) {
    // Loaded only where there is a Redis.
    const { RedisComponent } = await import('./components/redis.component.js');
    components.push(new RedisComponent(redisUrl, timeoutMs));
  }
  return components;
}
