import {
  type BeforeApplicationShutdown,
  Injectable,
  type OnApplicationBootstrap,
} from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks, Clock } from '#libs/core';
import { CacheLearning } from '../learning/cache-learning.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { TopKeys } from '../statistics/top-keys.js';
import { HotSetStore } from './hot-set.store.js';
import { type ReadyTarget, WarmUpTargets } from './warm-up.targets.js';
import { cacheWarmingSettings } from './warming.settings.js';

const HOUR_MS = 3_600_000;

interface Recording {
  readonly target: ReadyTarget;
  keys: TopKeys;
  readsSaved: number;
}

/**
 * Stores now and then which keys were read most, with their arguments, and how many reads each hour
 * had: of the methods whose `@WarmUp` uses that, and no others.
 */
@Injectable()
export class HotSetRecorder implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly recordings: Recording[] = [];
  private readonly tasks = new BackgroundTasks((error) => {
    cacheFault.publish(() => ({ part: 'hot set', operation: 'save', error }));
  });
  private timer: NodeJS.Timeout | undefined;
  private isClosed = false;

  constructor(
    private readonly targets: WarmUpTargets,
    private readonly learning: CacheLearning,
    private readonly store: HotSetStore,
    private readonly settings: SettingsStore,
    private readonly clock: Clock,
  ) {}

  onApplicationBootstrap(): void {
    for (const target of this.targets.ready()) {
      const { topN, beforePeaks } = target.options;
      if (topN === undefined && beforePeaks !== true) continue;
      const recording = { target, keys: new TopKeys(sketchSize(topN)), readsSaved: 0 };
      this.recordings.push(recording);
      const learning = this.learning.of(target.cache.namespace);
      if (learning !== undefined && topN !== undefined) {
        learning.onRead = (key) => recording.keys.add(key);
      }
    }
    if (this.recordings.length === 0) return;
    const { saveEveryMs } = this.settings.get(cacheWarmingSettings);
    this.timer = setInterval(() => this.tasks.run(() => this.save()), saveEveryMs).unref();
  }

  /** While the database is there still. May be called twice. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    clearInterval(this.timer);
    if (this.recordings.length > 0) this.tasks.run(() => this.save());
    await this.tasks.drain();
  }

  /** Stores what was read since the last time. It happens by itself. */
  async save(): Promise<void> {
    await this.learning.learn();
    for (const recording of this.recordings) await this.saveOne(recording);
  }

  private async saveOne(recording: Recording): Promise<void> {
    const { target, keys } = recording;
    const { cache, calls, options } = target;
    const { reads } = cache;
    const since = reads - recording.readsSaved;
    if (since <= 0) return;
    recording.readsSaved = reads;
    if (options.beforePeaks === true) {
      const hourMs = Math.floor(this.clock.nowMs() / HOUR_MS) * HOUR_MS;
      await this.store.addHours(cache.namespace, [{ hourMs, reads: since }]);
    }
    const { topN } = options;
    if (topN === undefined) return;
    recording.keys = new TopKeys(sketchSize(topN));
    const hot = keys.top(topN).flatMap(({ key, count, overcount }) => {
      const args = calls.argumentsOf(key);
      // A key that other arguments give after a round trip through storage cannot be loaded again.
      if (args === undefined || !isStorable(target, key, args)) return [];
      return [{ key, args, reads: count - overcount }];
    });
    if (hot.length > 0) await this.store.addKeys(cache.namespace, hot, topN);
  }
}

function sketchSize(topN = 0): number {
  return Math.min(65_536, Math.max(512, 4 * topN));
}

/** Whether the arguments are plain data, which storage gives back as they are. */
function isStorable(target: ReadyTarget, key: string, args: readonly unknown[]): boolean {
  try {
    const copy = structuredClone(args);
    // Keys of somebody in particular are not for storage: nobody could load them.
    return target.calls.loadOf(key, copy) !== undefined;
  } catch {
    return false;
  }
}
