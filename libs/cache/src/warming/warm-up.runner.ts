import { messageOf } from '#libs/core';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cache } from '../engine/cache.js';
import type { KeyLoad } from '../learning/key-source.js';

/** A key to be loaded; without a loader it is not known how. */
export interface WarmUpItem {
  readonly key: string;
  readonly load: KeyLoad | undefined;
}

/** How a warm-up ended, or how far it is. */
export interface WarmUpReport {
  readonly total: number;
  /** Brought into memory, loaded or from a shared level. */
  readonly loaded: number;
  readonly failed: number;
  /** There already, or nobody knows how to load them. */
  readonly skipped: number;
  /** The first few. */
  readonly failures: readonly { readonly key: string; readonly message: string }[];
}

export interface WarmUpRun {
  readonly concurrency: number;
  /** Loads that all warm-ups of the process may do at once at this moment; at least 1. */
  readonly headroom: () => number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (report: WarmUpReport) => void;
}

const MAX_FAILURES = 10;
const HEADROOM_POLL_MS = 20;

/** Loads keys, each for itself: one that fails is counted, and the others go on. */
export class WarmUpRunner {
  private active = 0;

  /** Stops early when the signal aborts, and says how far it came. */
  async run(
    cache: Cache,
    items: readonly WarmUpItem[],
    { concurrency, headroom, signal, onProgress }: WarmUpRun,
  ): Promise<WarmUpReport> {
    const counts = { total: items.length, loaded: 0, failed: 0, skipped: 0 };
    const failures: { key: string; message: string }[] = [];
    const report = (): WarmUpReport => ({ ...counts, failures: [...failures] });
    const rest = items.values();
    const work = async (): Promise<void> => {
      for (const { key, load } of rest) {
        if (signal?.aborted === true) return;
        if (load === undefined || cache.isFresh(key)) counts.skipped += 1;
        else {
          if (!(await this.enter(headroom, signal))) return;
          try {
            const source = await cache.warm(key, load.load, load.options);
            if (source === 'L1') counts.skipped += 1;
            else counts.loaded += 1;
          } catch (error) {
            counts.failed += 1;
            if (failures.length < MAX_FAILURES) failures.push({ key, message: messageOf(error) });
          } finally {
            this.active -= 1;
          }
        }
        onProgress?.(report());
      }
    };
    const lanes = Math.max(1, Math.min(concurrency, items.length));
    await Promise.all(Array.from({ length: lanes }, work));
    return report();
  }

  /** Waits until there is room for one load more; false when the signal aborts first. */
  private async enter(headroom: () => number, signal: AbortSignal | undefined): Promise<boolean> {
    while (this.active > 0 && this.active >= headroom()) {
      if (signal?.aborted === true) return false;
      await sleep(HEADROOM_POLL_MS);
    }
    this.active += 1;
    return true;
  }
}
