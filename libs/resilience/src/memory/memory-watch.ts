import type { OnApplicationShutdown, OnModuleInit } from '@nestjs/common';
import type { SettingsStore } from '#libs/config';
import { BackgroundTasks, type Clock } from '#libs/core';
import type { ModuleLogger, RootLogger } from '#libs/logging';
import { type CollectionFigures, GarbageCollector } from './garbage-collector.js';
import {
  type MemoryBound,
  MemoryMeter,
  type MemorySources,
  nearest,
  PROCESS_MEMORY,
  ratioOf,
} from './memory-meter.js';
import {
  memoryPressure,
  MEMORY_PRESSURE_LEVELS,
  type MemoryPressureLevel,
} from './memory-pressure.js';
import { type MemorySettings, memorySettings } from './memory.settings.js';
import { nextLevel } from './pressure-scale.js';

/** What the watch knows. */
export interface MemoryState {
  readonly level: MemoryPressureLevel;
  /** Every bound; nearest to being reached first. */
  readonly bounds: readonly MemoryBound[];
  /** How often each level was entered. */
  readonly entered: Readonly<Record<MemoryPressureLevel, number>>;
  readonly collections: CollectionFigures;
}

/**
 * Watches how near the process is to the end of its memory, and tells it on `memoryPressure`.
 *
 *     normal ──≥ shedRatio──▶ shed ──≥ criticalRatio──▶ critical   (normal ─▶ critical too)
 *     normal ◀──< shedRatio − margin── shed ◀──< criticalRatio − margin── critical
 *
 * When a level rises, subscribers give memory back first; then garbage is collected, since only
 * that makes what they gave back leave the process. While the pressure lasts both are repeated.
 */
export class MemoryWatch implements OnModuleInit, OnApplicationShutdown {
  private current: MemoryPressureLevel = 'normal';
  private bounds: readonly MemoryBound[] = [];
  private readonly entered = { normal: 0, shed: 0, critical: 0 };
  private readonly log: ModuleLogger;
  private readonly meter: MemoryMeter;
  private readonly collector: GarbageCollector;
  private readonly tasks = new BackgroundTasks((err) =>
    this.log.error('The memory in use could not be read', { err }),
  );
  private timer: NodeJS.Timeout | undefined;
  /** What the heap held when garbage was last collected on its account. */
  private liveHeapBytes: number | undefined;
  /** Memory was given back, and no collection has made it leave yet. */
  private owesCollection = false;

  constructor(
    private readonly settings: SettingsStore,
    clock: Clock,
    logger: RootLogger,
    sources: MemorySources = PROCESS_MEMORY,
  ) {
    this.log = logger.module('memory');
    this.meter = new MemoryMeter(sources);
    this.collector = new GarbageCollector(clock, () => this.limits.collectEveryMs);
  }

  /** As of the last reading. */
  get level(): MemoryPressureLevel {
    return this.current;
  }

  get state(): MemoryState {
    const { current: level, bounds, entered, collector } = this;
    return { level, bounds, entered: { ...entered }, collections: collector.statistics };
  }

  onModuleInit(): void {
    if (this.timer !== undefined) return;
    const check = (): void => {
      // A reading that waits for a slow disk must not be overtaken by the next.
      if (this.tasks.size === 0) this.tasks.run(() => this.check());
    };
    this.timer = setInterval(check, this.limits.intervalMs).unref();
    check();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    await this.tasks.drain();
  }

  /** Takes a reading, and acts on it. */
  async check(): Promise<void> {
    const { count } = this.collector.statistics;
    this.bounds = (await this.read()).sort((one, other) => ratioOf(other) - ratioOf(one));
    const worst = nearest(this.bounds as [MemoryBound]);
    const previous = this.current;
    const level = nextLevel(previous, ratioOf(worst), this.limits);
    this.current = level;
    const isChange = level !== previous;
    if (isChange) {
      this.entered[level] += 1;
      this.report(level, worst);
    }
    // The reading of a heap that is nearly full collects by itself, what was given back included.
    const hasCollected = this.collector.statistics.count > count;
    if (hasCollected) this.owesCollection = false;
    if (rankOf(level) > rankOf(previous)) this.owesCollection = true;
    const isShort = level !== 'normal';
    if (!isShort) this.owesCollection = false;
    const collects = isShort && this.collector.isDue(level);
    const isDue = isShort && (collects || hasCollected);
    const isRepeated = isDue && !this.owesCollection && !isChange;
    if (isChange || isRepeated) memoryPressure.publish(() => ({ level, previous, ...worst }));
    if (!collects) return;
    this.owesCollection = false;
    await this.collector.collect();
  }

  private get limits(): MemorySettings {
    return this.settings.get(memorySettings);
  }

  private async read(): Promise<MemoryBound[]> {
    const bounds = await this.meter.bounds(this.limits.limitBytes);
    return [...bounds, await this.heap()];
  }

  /** A heap is full of what is in use; garbage in it says nothing until it has been collected. */
  private async heap(): Promise<MemoryBound> {
    const heap = this.meter.heap();
    const { shedRatio, recoverMargin } = this.limits;
    if (ratioOf(heap) < shedRatio - recoverMargin) {
      this.liveHeapBytes = undefined;
      return heap;
    }
    if (this.collector.isDue(this.current)) {
      await this.collector.collect();
      this.liveHeapBytes = this.meter.heap().usedBytes;
    }
    return { ...heap, usedBytes: Math.min(heap.usedBytes, this.liveHeapBytes ?? heap.usedBytes) };
  }

  private report(level: MemoryPressureLevel, { source, usedBytes, limitBytes }: MemoryBound): void {
    const fields = { level, source, usedBytes, limitBytes };
    if (level === 'normal') this.log.info('There is enough memory again', fields);
    else if (level === 'shed') this.log.warn('Memory is short: caches give some back', fields);
    else this.log.error('Memory is nearly used up: batch work is refused', fields);
  }
}

function rankOf(level: MemoryPressureLevel): number {
  return MEMORY_PRESSURE_LEVELS.indexOf(level);
}
