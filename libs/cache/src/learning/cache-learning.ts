import { Injectable, type OnApplicationShutdown, type OnModuleInit } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { BackgroundTasks, Clock } from '#libs/core';
import { currentContext } from '#libs/logging';
import type { Cache } from '../engine/cache.js';
import { CacheHub } from '../engine/cache-hub.js';
import { cacheFault } from '../statistics/cache.channels.js';
import { AccessRecorder } from './access-recorder.js';
import type { KeySource } from './key-source.js';
import { cacheLearningSettings, type CacheLearningSettings } from './learning.settings.js';
import { NamespaceLearning } from './namespace-learning.js';
import { Prefetcher } from './prefetcher.js';
import { type PrefetchOptions, resolvePrefetchOptions } from './prefetch.options.js';
import { SuccessorPredictor } from './successor-predictor.js';
import type { KeyPredictor } from './key-predictor.js';

const LEARN_EVERY_MS = 1_000;

/** Makes the predictor of each namespace. Provide another one to predict in another way. */
@Injectable()
export class KeyPredictors {
  constructor(private readonly settings: SettingsStore) {}

  make(_namespace: string): KeyPredictor {
    const { successorKeys, sessionGapMs } = this.settings.get(cacheLearningSettings);
    return new SuccessorPredictor({ maxKeys: successorKeys, sessionGapMs });
  }
}

/**
 * Records the reads of every namespace of the process, within bounds, and learns from them once a
 * second, beside the traffic. Where a namespace asks for it, loads keys ahead.
 */
@Injectable()
export class CacheLearning implements OnModuleInit, OnApplicationShutdown {
  private readonly namespaces = new Map<string, NamespaceLearning>();
  private readonly tasks: BackgroundTasks;
  private timer: NodeJS.Timeout | undefined;
  private readonly stopListening: () => void;

  constructor(
    private readonly hub: CacheHub,
    private readonly store: SettingsStore,
    private readonly clock: Clock,
    private readonly predictors: KeyPredictors,
  ) {
    this.tasks = new BackgroundTasks((error) => {
      cacheFault.publish(() => ({ part: 'learning', operation: 'background', error }));
    });
    // From the first read on, which may come before other modules have started.
    this.stopListening = hub.onOpened((cache) => this.follow(cache));
  }

  onModuleInit(): void {
    this.timer ??= setInterval(() => this.tasks.run(() => this.learn()), LEARN_EVERY_MS).unref();
  }

  /** Stops recording and prefetching, and waits for what is under way. May be called twice. */
  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.timer = undefined;
    this.stopListening();
    for (const { cache } of this.namespaces.values()) cache.tap = undefined;
    this.namespaces.clear();
    await this.tasks.drain();
  }

  /** What is learnt of a namespace; undefined for one that this process has not opened. */
  of(namespace: string): NamespaceLearning | undefined {
    return this.namespaces.get(namespace);
  }

  all(): NamespaceLearning[] {
    return [...this.namespaces.values()];
  }

  /**
   * Loads keys of the cache ahead that its readers are likely to need next, as `source` says.
   * A reader is the user of the request or job at hand; reads of nobody teach nothing.
   */
  prefetch(cache: Cache, source: KeySource, options?: PrefetchOptions): void {
    const learning = this.namespaces.get(cache.namespace);
    if (learning === undefined) return;
    const { recorder, predictor } = learning;
    learning.prefetcher = new Prefetcher({
      cache: learning.cache,
      recorder,
      predictor,
      source,
      clock: this.clock,
      tasks: this.tasks,
      options: resolvePrefetchOptions(options),
      clientOf,
      isEnabled: () => this.settings.prefetch,
    });
    learning.refill(this.settings.maxReadsPerSecond);
  }

  /** Learns from what was recorded so far. It happens by itself every second. */
  async learn(): Promise<void> {
    const { recordedReads, maxReadsPerSecond } = this.settings;
    const open = new Set(this.hub.namespaces());
    for (const [namespace, learning] of this.namespaces) {
      if (!open.has(namespace)) {
        this.namespaces.delete(namespace);
        continue;
      }
      learning.recorder.setCapacity(recordedReads);
      learning.refill(maxReadsPerSecond);
      await learning.learn(this.clock.nowMs());
    }
  }

  private get settings(): CacheLearningSettings {
    return this.store.get(cacheLearningSettings);
  }

  private follow(cache: Cache): void {
    const { recordedReads, maxReadsPerSecond } = this.settings;
    const recorder = new AccessRecorder({ clock: this.clock, capacity: recordedReads, clientOf });
    const predictor = this.predictors.make(cache.namespace);
    const learning = new NamespaceLearning(cache, recorder, predictor);
    learning.refill(maxReadsPerSecond);
    this.namespaces.set(cache.namespace, learning);
  }
}

/** The user whom the code at hand works for. */
function clientOf(): string | undefined {
  return currentContext()?.userId;
}
