import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '#libs/core';
import type { MemoryPressureLevel } from './memory-pressure.js';

type CollectGarbage = (options: { type: 'major'; execution: 'async' }) => Promise<void>;

/** What ordered collections have cost and brought. */
export interface CollectionFigures {
  readonly count: number;
  readonly totalMs: number;
  readonly lastMs: number;
  /** Resident memory before the last one, less that of right after it. */
  readonly lastFreedBytes: number;
}

/** Part of the time that collections may take, and how much sooner than usual one may be ordered. */
const PACE = {
  normal: { share: 0.05, haste: 1 },
  shed: { share: 0.05, haste: 1 },
  // To be stopped by the kernel is worse than to pause.
  critical: { share: 0.25, haste: 5 },
} as const;
/** However long one took, which a busy machine prolongs. */
const LONGEST_PAUSE_MS = 10_000;
/** Fewer bytes of buffers are not worth a second collection. */
const WORTHWHILE_BYTES = 8 * 1024 * 1024;

/**
 * Orders collections of garbage. What a cache lets go of stays resident until the next major
 * collection, which V8 may put off for long: 440 MB of dropped entries were still there after three
 * seconds of traffic, and gone 24 ms after it was told to collect. The pause grows with what is
 * alive, so it is best called after the dropping.
 */
export class GarbageCollector {
  private run: CollectGarbage | undefined;
  private endedMs = Number.NEGATIVE_INFINITY;
  private figures: CollectionFigures = { count: 0, totalMs: 0, lastMs: 0, lastFreedBytes: 0 };

  constructor(
    private readonly clock: Clock,
    private readonly everyMs: () => number,
  ) {}

  /** Whether the last collection is long enough ago. */
  isDue(level: MemoryPressureLevel): boolean {
    const { share, haste } = PACE[level];
    const pausesMs = Math.min(this.figures.lastMs / share, LONGEST_PAUSE_MS);
    const waitMs = Math.max(this.everyMs() / haste, pausesMs);
    return this.clock.monotonicMs() >= this.endedMs + waitMs;
  }

  get statistics(): CollectionFigures {
    return this.figures;
  }

  /** Collects everything that is not in use; stops the process for as long as that takes. */
  async collect(): Promise<void> {
    const collect = (this.run ??= findCollector());
    const startedMs = this.clock.monotonicMs();
    const { rss: before, arrayBuffers } = process.memoryUsage();
    await collect({ type: 'major', execution: 'async' });
    // The memory of buffers is given back by the collection after the one that found them dead.
    if (arrayBuffers >= WORTHWHILE_BYTES) await collect({ type: 'major', execution: 'async' });
    this.endedMs = this.clock.monotonicMs();
    const lastMs = this.endedMs - startedMs;
    this.figures = {
      count: this.figures.count + 1,
      totalMs: this.figures.totalMs + lastMs,
      lastMs,
      lastFreedBytes: before - process.memoryUsage.rss(),
    };
  }
}

/** V8 hands out its collector to contexts that are made after the flag was set. */
function findCollector(): CollectGarbage {
  setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as CollectGarbage;
}
