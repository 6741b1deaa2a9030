import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { BackgroundTasks, messageOf } from '#libs/core';
import { defineJob, JobHandler, type JobRun, Scheduled } from '#libs/jobs';
import { z } from 'zod';
import { cacheSettings } from '../cache.settings.js';
import { Caches } from '../managers/caches.js';
import { cacheFault, cacheInvalidation } from '../statistics/cache.channels.js';
import { CacheStrategies } from './cache-strategies.js';
import { summaryOf } from './optimiser/strategy-optimiser.js';
import { StrategyRegistry } from './registry/strategy-registry.js';
import { StrategyMeter } from './store/strategy-meter.js';
import type { StrategyStore } from './store/strategy-store.js';

/** Optimises the active cache strategies. Runs every `cache.autoTuneEveryMs`. */
export const autoTuneStrategies = defineJob({
  name: 'cache-auto-tune',
  queue: 'maintenance',
  schema: z.strictObject({}),
  attempts: 1,
  timeoutMs: 3_600_000,
});

/** What became of each active strategy. */
export type AutoTuneReport = Readonly<Record<string, string>>;

const BY = 'auto-tune';
const HEAD_START_MS = 300;
/** Asks the other processes to tune what they have traffic of. */
const ASKED = 'cache.auto-tune';

/**
 * Optimises active strategies on a schedule. A strategy is tuned by a process that reads it, since
 * only that has counters and a recording: a worker without traffic asks the others to do it.
 */
@Injectable()
export class AutoTuneJob implements OnModuleInit, OnApplicationShutdown {
  private readonly tasks = new BackgroundTasks((error) => {
    cacheFault.publish(() => ({ part: 'strategies', operation: 'auto-tune', error }));
  });
  private readonly stopping = new AbortController();
  private stopListening: (() => void) | undefined;

  constructor(
    private readonly registry: StrategyRegistry,
    private readonly strategies: CacheStrategies,
    private readonly meter: StrategyMeter,
    private readonly caches: Caches,
  ) {}

  onModuleInit(): void {
    this.stopListening = cacheInvalidation.subscribe(({ names, isRemote }) => {
      if (!isRemote || !names.includes(`t:${ASKED}`)) return;
      const report: Record<string, string> = {};
      const stores = this.active().filter((store) => this.hasTraffic(store));
      this.tasks.run(() => this.tune(stores, report, this.stopping.signal));
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.stopListening?.();
    this.stopping.abort();
    await this.tasks.drain();
  }

  @JobHandler(autoTuneStrategies)
  @Scheduled((settings) => {
    const { autoTuneEveryMs } = settings.get(cacheSettings);
    return autoTuneEveryMs === 0 ? null : { everyMs: autoTuneEveryMs };
  })
  async run(_payload: unknown, run: JobRun): Promise<AutoTuneReport> {
    await this.registry.refresh();
    const report: Record<string, string> = {};
    const active = this.active();
    if (active.some((store) => !this.hasTraffic(store))) await this.askOthers();
    for (const store of this.active()) {
      await this.tune([store], report, run.signal);
      await run.reportProgress(report);
    }
    for (const { current } of active) {
      report[current.name] ??= 'left to a process that reads it';
    }
    return report;
  }

  private active(): StrategyStore[] {
    return this.registry.all().filter(({ current }) => current.status === 'active');
  }

  private hasTraffic(store: StrategyStore): boolean {
    return this.meter.countsOf(store).reads > 0;
  }

  /** Lets processes with traffic begin; what they have begun is not active for a while. */
  private async askOthers(): Promise<void> {
    await this.caches.invalidateTags([ASKED]);
    await sleep(HEAD_START_MS);
    await this.registry.refresh();
  }

  /** One that fails does not stop the others. */
  private async tune(
    stores: readonly StrategyStore[],
    report: Record<string, string>,
    signal: AbortSignal,
  ): Promise<void> {
    for (const { current } of stores) {
      signal.throwIfAborted();
      try {
        const { id } = current;
        const result = await this.strategies.optimizeCachePerformance(id, [], BY, signal);
        report[current.name] = summaryOf(result);
      } catch (error) {
        signal.throwIfAborted();
        report[current.name] = messageOf(error);
      }
    }
  }
}
