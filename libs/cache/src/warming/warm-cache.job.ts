import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock } from '#libs/core';
import { defineJob, JobHandler, type JobRun, Scheduled } from '#libs/jobs';
import { createContext, RootLogger, runWithContext } from '#libs/logging';
import { z } from 'zod';
import { HourProfile } from '../learning/hour-profile.js';
import { HotSetStore } from './hot-set.store.js';
import { PoolHeadroom } from './pool-headroom.js';
import { type WarmUpItem, type WarmUpReport, WarmUpRunner } from './warm-up.runner.js';
import { itemsOfKeys, type ReadyTarget, WarmUpTargets } from './warm-up.targets.js';
import { cacheWarmingSettings } from './warming.settings.js';

/** Why a cache is warmed. */
export const WARM_UP_REASONS = ['start', 'deployment', 'schedule', 'peak', 'request'] as const;

/** Fills the caches of methods with `@WarmUp`. */
export const warmCache = defineJob({
  name: 'warm-cache',
  schema: z.strictObject({
    reason: z.enum(WARM_UP_REASONS),
    /** Only this namespace. */
    namespace: z.string().optional(),
    /** Only this method, such as `OrdersService.find`. */
    method: z.string().optional(),
    /** Keys of the cache whose arguments are known, in place of what the decorators say. */
    keys: z.array(z.string()).optional(),
    /** Lists of arguments, in place of what the decorators say. */
    calls: z.array(z.array(z.unknown())).optional(),
    /** So many keys of those read most, in place of what the decorators say. */
    topN: z.number().int().positive().optional(),
  }),
  concurrency: 1,
  attempts: 2,
  timeoutMs: 900_000,
});

type Payload = z.output<typeof warmCache.schema>;

/** What a warm-up did, in all and by namespace. */
export interface WarmCacheResult extends Omit<WarmUpReport, 'failures'> {
  readonly namespaces: Readonly<Record<string, WarmUpReport>>;
  /** Namespaces that could not tell what to load. */
  readonly broken: Readonly<Record<string, string>>;
}

const HOUR_MS = 3_600_000;
/** Keys of a target that are loaded at once, unless it says otherwise. */
export const DEFAULT_CONCURRENCY = 4;
/** Between two reports of how far a job is. */
const PROGRESS_EVERY_MS = 250;

/** Runs the warm-ups of all targets that a job asks for, one after the other. */
@Injectable()
export class WarmCacheJob {
  private readonly runner = new WarmUpRunner();

  constructor(
    private readonly targets: WarmUpTargets,
    private readonly hotSet: HotSetStore,
    private readonly headroom: PoolHeadroom,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
    private readonly log: RootLogger,
  ) {}

  @JobHandler(warmCache)
  @Scheduled((settings) => peakSchedule(settings))
  async run(payload: Payload, run: JobRun): Promise<WarmCacheResult> {
    const result = await this.warm(payload, run);
    run.signal.throwIfAborted();
    if (result.total > 0) {
      const { total, loaded, failed, skipped } = result;
      this.log
        .module('cache')
        .info('Caches were warmed', { reason: payload.reason, total, loaded, failed, skipped });
    }
    return result;
  }

  private async warm(payload: Payload, run: JobRun): Promise<WarmCacheResult> {
    const namespaces: Record<string, WarmUpReport> = {};
    const broken: Record<string, string> = {};
    const sum = (): Omit<WarmUpReport, 'failures'> => sumOf(Object.values(namespaces));
    let reportedMs = 0;
    const tell = async (): Promise<void> => {
      reportedMs = this.clock.monotonicMs();
      await run.reportProgress({ ...sum() });
    };
    for (const target of await this.targetsOf(payload)) {
      const { namespace } = target.cache;
      let items: readonly WarmUpItem[];
      try {
        items = await this.itemsOf(target, payload);
      } catch (error) {
        broken[namespace] = String(error);
        continue;
      }
      if (run.signal.aborted) break;
      const reports: Promise<void>[] = [];
      // Nobody's context: what is loaded for all is loaded as nobody in particular.
      namespaces[namespace] = await runWithContext(createContext({ jobId: run.id }), () =>
        this.runner.run(target.cache, items, {
          concurrency: target.options.concurrency ?? DEFAULT_CONCURRENCY,
          headroom: () => this.headroom.limit(),
          signal: run.signal,
          onProgress: (report) => {
            namespaces[namespace] = report;
            if (this.clock.monotonicMs() - reportedMs >= PROGRESS_EVERY_MS) reports.push(tell());
          },
        }),
      );
      await Promise.all(reports);
    }
    await tell();
    return { ...sum(), namespaces, broken };
  }

  private async targetsOf(payload: Payload): Promise<readonly ReadyTarget[]> {
    const { enabled } = this.settings.get(cacheWarmingSettings);
    if (!enabled && payload.reason !== 'request') return [];
    const ready = this.targets.ready();
    const { namespace, method, reason } = payload;
    if (method !== undefined) return ready.filter(({ where }) => where === method);
    if (namespace !== undefined) return [this.targets.require(namespace)];
    if (reason === 'start' || reason === 'deployment') {
      return ready.filter(({ options }) => isAtStart(options));
    }
    if (reason === 'peak') return this.beforePeak(ready);
    return ready;
  }

  /** Those for whom the hour that comes next is the beginning of a peak. */
  private async beforePeak(ready: readonly ReadyTarget[]): Promise<ReadyTarget[]> {
    const { peakFactor, peakLeadMs } = this.settings.get(cacheWarmingSettings);
    const hour = new Date(this.clock.nowMs() + peakLeadMs).getUTCHours();
    const due: ReadyTarget[] = [];
    for (const target of ready) {
      if (target.options.beforePeaks !== true) continue;
      const profile = new HourProfile();
      for (const { hourMs, reads } of await this.hotSet.hours(target.cache.namespace)) {
        profile.add(hourMs, reads);
      }
      if (profile.peakHours(peakFactor).includes(hour)) due.push(target);
    }
    return due;
  }

  private async itemsOf(target: ReadyTarget, payload: Payload): Promise<readonly WarmUpItem[]> {
    const { maxKeys } = this.settings.get(cacheWarmingSettings);
    const { options } = target;
    const isExplicit =
      payload.keys !== undefined || payload.calls !== undefined || payload.topN !== undefined;
    const topN = isExplicit ? (payload.topN ?? 0) : (options.topN ?? 0);
    const items = new Map<string, WarmUpItem>();
    const add = (item: WarmUpItem): void => {
      if (items.size < maxKeys && items.get(item.key)?.load === undefined)
        items.set(item.key, item);
    };
    for (const args of payload.calls ?? []) {
      const item = target.itemOf(args);
      if (item !== undefined) add(item);
    }
    if (!isExplicit) (await itemsOfKeys(target)).forEach(add);
    const wanted = payload.keys ?? [];
    if (topN > 0 || wanted.length > 0) {
      const namespace = target.cache.namespace;
      const known = await this.hotSet.top(namespace, wanted.length > 0 ? maxKeys : topN);
      const recipes = new Map(known.map(({ key, args }) => [key, args]));
      for (const key of wanted) {
        const args = target.calls.argumentsOf(key) ?? recipes.get(key);
        add({ key, load: args === undefined ? undefined : target.calls.loadOf(key, args) });
      }
      for (const { key, args } of known.slice(0, topN))
        add({ key, load: target.calls.loadOf(key, args) });
    }
    return [...items.values()];
  }
}

/** Whether it is warmed when a process starts. */
export function isAtStart({ atStart, cron, everyMs }: ReadyTarget['options']): boolean {
  return atStart ?? (cron === undefined && everyMs === undefined);
}

function peakSchedule(settings: SettingsStore) {
  const { peakLeadMs } = settings.get(cacheWarmingSettings);
  const minute = Math.floor((HOUR_MS - peakLeadMs) / 60_000) % 60;
  return { id: 'warm-cache-peaks', pattern: `${minute} * * * *`, payload: { reason: 'peak' } };
}

function sumOf(reports: readonly WarmUpReport[]): Omit<WarmUpReport, 'failures'> {
  const sum = { total: 0, loaded: 0, failed: 0, skipped: 0 };
  for (const { total, loaded, failed, skipped } of reports) {
    sum.total += total;
    sum.loaded += loaded;
    sum.failed += failed;
    sum.skipped += skipped;
  }
  return sum;
}
