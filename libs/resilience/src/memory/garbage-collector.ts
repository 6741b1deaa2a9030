import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { Clock } from '#libs/core';

type CollectGarbage = (options: { type: 'major'; execution: 'async' }) => Promise<void>;

/** What ordered collections have cost and brought. */
export interface CollectionFigures {
  readonly count: number;
  readonly totalMs: number;
  readonly lastMs: number;
  /** Resident memory before the last one, less that of right after it. */
  readonly lastFreedBytes: number;
}

/** A collection may take this part of the time, however often one is asked for. */
const MAX_SHARE = 0.05;

/**
 * Orders collections of garbage. What a cache lets go of stays resident until the next major
 * collection, which V8 may put off for long: 440 MB of dropped entries were still there after three
 * seconds of traffic, and gone 24 ms after it was told to collect. The pause grows with what is
 * alive, so it is best called after the dropping.
 */
export class GarbageCollector {
  private run: CollectGarbage | undefined;
  private earliestMs = Number.NEGATIVE_INFINITY;
  private figures: CollectionFigures = { count: 0, totalMs: 0, lastMs: 0, lastFreedBytes: 0 };

  constructor(
    private readonly clock: Clock,
    private readonly everyMs: () => number,
  ) {}

  /** Whether the last collection is long enough ago. */
  get isDue(): boolean {
    return this.clock.monotonicMs() >= this.earliestMs;
  }

  get statistics(): CollectionFigures {
    return this.figures;
  }

  /** Collects everything that is not in use; stops the process for as long as that takes. */
  async collect(): Promise<void> {
    const collect = (this.run ??= findCollector());
    const startedMs = this.clock.monotonicMs();
    const before = process.memoryUsage.rss();
    await collect({ type: 'major', execution: 'async' });
    // The memory of buffers is given back by the collection after the one that found them dead.
    await collect({ type: 'major', execution: 'async' });
    const endedMs = this.clock.monotonicMs();
    const lastMs = endedMs - startedMs;
    this.earliestMs = endedMs + Math.max(this.everyMs(), lastMs / MAX_SHARE);
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
