import { constants, performance, PerformanceObserver } from 'node:perf_hooks';
import { EventLoopDelayMonitor } from './event-loop-delay.js';

/** What changes from one sample to the next, over the time between two of them. */
export interface ProcessSample {
  /** Cores in use; 1 is one core all the time. */
  readonly cpuCores: number;
  /** Share of the time that the event loop was busy, 0 to 1. */
  readonly eventLoopUtilization: number;
  /** Delays are those of this sample and the one before. */
  readonly meanDelayMs: number;
  readonly p99DelayMs: number;
  readonly maxDelayMs: number;
  /** Time spent in garbage collection. */
  readonly gcMs: number;
  readonly elapsedMs: number;
}

export interface GcTotals {
  readonly count: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

const KEPT_SAMPLES = 60;
const GC_KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak-callbacks',
};

/** Watches the process itself, and keeps the samples of the last minute, one a second. */
export class ProcessSampler {
  private readonly delays = new EventLoopDelayMonitor();
  private readonly gcByKind = new Map<string, GcTotals>();
  private readonly observer: PerformanceObserver;
  private readonly samples: ProcessSample[] = [];
  private cpu = process.cpuUsage();
  private utilization = performance.eventLoopUtilization();
  private sampledAtMs = performance.now();
  private gcMsSinceSample = 0;

  constructor() {
    this.observer = new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        const { detail } = entry as { detail?: { readonly kind?: number } };
        this.countGc(detail?.kind ?? 0, entry.duration);
      }
    });
    this.observer.observe({ entryTypes: ['gc'] });
  }

  /** Ends the current sample and begins the next one. */
  sample(): void {
    const nowMs = performance.now();
    const elapsedMs = nowMs - this.sampledAtMs;
    // Two readers at once would make a sample of no time.
    if (elapsedMs < 1) return;
    const { user, system } = process.cpuUsage(this.cpu);
    const utilization = performance.eventLoopUtilization();
    const delay = this.delays.read();
    this.samples.push({
      cpuCores: (user + system) / 1_000 / elapsedMs,
      eventLoopUtilization: performance.eventLoopUtilization(utilization, this.utilization)
        .utilization,
      meanDelayMs: delay.meanMs,
      p99DelayMs: delay.p99Ms,
      maxDelayMs: delay.maxMs,
      gcMs: this.gcMsSinceSample,
      elapsedMs,
    });
    if (this.samples.length > KEPT_SAMPLES) this.samples.shift();
    this.cpu = process.cpuUsage();
    this.utilization = utilization;
    this.sampledAtMs = nowMs;
    this.gcMsSinceSample = 0;
  }

  /** The samples of the last minute, the newest last. */
  get lastMinute(): readonly ProcessSample[] {
    return this.samples;
  }

  get gc(): ReadonlyMap<string, GcTotals> {
    return this.gcByKind;
  }

  /** May be called twice. */
  close(): void {
    this.observer.disconnect();
    this.delays.close();
  }

  private countGc(kindNumber: number, durationMs: number): void {
    const kind = GC_KINDS[kindNumber] ?? 'other';
    const { count, totalMs, maxMs } = this.gcByKind.get(kind) ?? { count: 0, totalMs: 0, maxMs: 0 };
    this.gcByKind.set(kind, {
      count: count + 1,
      totalMs: totalMs + durationMs,
      maxMs: Math.max(maxMs, durationMs),
    });
    this.gcMsSinceSample += durationMs;
  }
}
