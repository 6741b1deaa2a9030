import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';

/** How late the event loop was, over the time since the reading before the last one. */
export interface EventLoopDelayReading {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;

/**
 * Measures the delay of the event loop by two histograms of Node in turns: one misses the first
 * interval after its reset, so each is read and reset at every other reading, and the other one
 * sees what it misses.
 */
export class EventLoopDelayMonitor {
  private readonly histograms = [startHistogram(), startHistogram()] as const;
  private turn: 0 | 1 = 0;

  read(): EventLoopDelayReading {
    const histogram = this.histograms[this.turn];
    this.turn = this.turn === 0 ? 1 : 0;
    const reading = {
      meanMs: withoutResolution(histogram.mean),
      p99Ms: withoutResolution(histogram.percentile(99)),
      maxMs: withoutResolution(histogram.max),
    };
    histogram.reset();
    return reading;
  }

  /** May be called twice. */
  close(): void {
    for (const histogram of this.histograms) histogram.disable();
  }
}

function startHistogram(): IntervalHistogram {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  histogram.enable();
  return histogram;
}

/** The histogram measures from one of its own ticks to the next. */
function withoutResolution(ns: number): number {
  return Number.isNaN(ns) ? 0 : Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
}
