import {
  Injectable,
  type OnApplicationBootstrap,
  type OnApplicationShutdown,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks } from '#libs/core';
import { JobQueue } from '#libs/jobs';
import { cacheFault } from '../statistics/cache.channels.js';
import { programOf } from './deployment.js';
import { HotSetStore } from './hot-set.store.js';
import { isAtStart, warmCache } from './warm-cache.job.js';
import { WarmUpTargets } from './warm-up.targets.js';
import { cacheWarmingSettings } from './warming.settings.js';

/**
 * Has the caches warmed when a process has started, by one job however many start together. Start-up
 * does not wait for it.
 */
@Injectable()
export class WarmUpStarter implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly tasks = new BackgroundTasks((error) => {
    cacheFault.publish(() => ({ part: 'warm-up', operation: 'start', error }));
  });

  constructor(
    private readonly targets: WarmUpTargets,
    private readonly hotSet: HotSetStore,
    private readonly queue: JobQueue,
    private readonly settings: SettingsStore,
  ) {}

  onApplicationBootstrap(): void {
    if (!this.settings.get(cacheWarmingSettings).enabled) return;
    if (this.targets.ready().some(({ options }) => isAtStart(options))) {
      this.tasks.run(() => this.start());
    }
  }

  async onApplicationShutdown(): Promise<void> {
    await this.tasks.drain();
  }

  private async start(): Promise<void> {
    const { deployment } = this.settings.get(cacheWarmingSettings);
    const { program, version } = await programOf();
    const isNew = await this.hotSet.deploy(program, deployment ?? version);
    const reason = isNew ? 'deployment' : 'start';
    await this.queue.enqueue(warmCache, { reason }, { deduplicationKey: 'warm-cache-at-start' });
  }
}
