import { setTimeout as sleep } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { between, type StrategyCounts } from '../store/strategy-figures.js';
import { StrategyMeter } from '../store/strategy-meter.js';
import type { StrategyStore } from '../store/strategy-store.js';
import { type Estimate, estimateOf } from './estimate.js';

/** Parts of a window, for the spread. */
const PARTS = 5;

/** What the counters of a strategy said within a window. */
export interface Measurement {
  readonly reads: number;
  /** Mean of the parts of the window, with its standard error. */
  readonly hitRatio: Estimate;
  readonly latencyMs: Estimate;
}

/** Watches the counters of a strategy for some time. */
@Injectable()
export class WindowMeasurer {
  constructor(private readonly meter: StrategyMeter) {}

  async measure(store: StrategyStore, windowMs: number, signal?: AbortSignal) {
    const parts: StrategyCounts[] = [];
    let before = this.meter.countsOf(store);
    for (let part = 0; part < PARTS; part += 1) {
      await sleep(windowMs / PARTS, undefined, { signal });
      const after = this.meter.countsOf(store);
      parts.push(between(before, after));
      before = after;
    }
    const read = parts.filter(({ reads }) => reads > 0);
    return {
      reads: read.reduce((sum, { reads }) => sum + reads, 0),
      hitRatio: estimateOf(read.map(({ hits, reads }) => hits / reads)),
      latencyMs: estimateOf(read.map(({ lookUpMs, loadMs, reads }) => (lookUpMs + loadMs) / reads)),
    } satisfies Measurement;
  }
}
