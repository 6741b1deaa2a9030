import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Clock } from '#libs/core';

/** Times in milliseconds. */
export interface Times {
  readonly count: number;
  readonly meanMs: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What a pool did since its start. */
export interface PoolCounts {
  /** Connections given out. */
  readonly acquired: number;
  /** Connections opened, and closed. */
  readonly created: number;
  readonly removed: number;
  /** Callers that waited for too long. */
  readonly timedOut: number;
  /** Callers that were turned away, since too many waited. */
  readonly refused: number;
  /** Connections that could not be opened, or broke. */
  readonly errors: number;
  readonly leakedTransactions: number;
}

/** How busy the pool was over a span of time. */
export interface PoolDemand {
  readonly seconds: number;
  readonly arrivalsPerSecond: number;
  readonly meanHoldMs: number;
  /** Connections in use on average, by Little's law: arrivals × time held. */
  readonly meanBusy: number;
  readonly peakBusy: number;
}

const WINDOW_S = 60;
const US_PER_MS = 1_000;

interface Second {
  at: number;
  arrivals: number;
  heldMs: number;
  releases: number;
  peakBusy: number;
}

/** Counts and times of a pool: since the start, and second by second for the last minute. */
export class PoolMonitor {
  readonly counts = {
    acquired: 0,
    created: 0,
    removed: 0,
    timedOut: 0,
    refused: 0,
    errors: 0,
    leakedTransactions: 0,
  };
  private readonly waits = createHistogram();
  private readonly holds = createHistogram();
  private readonly seconds: Second[] = [];
  private readonly startedS: number;

  constructor(private readonly clock: Clock) {
    this.startedS = Math.floor(clock.monotonicMs() / 1000);
  }

  acquired(waitedMs: number, busy: number): void {
    this.counts.acquired += 1;
    record(this.waits, waitedMs);
    const second = this.second();
    second.arrivals += 1;
    second.peakBusy = Math.max(second.peakBusy, busy);
  }

  released(heldMs: number): void {
    record(this.holds, heldMs);
    const second = this.second();
    second.releases += 1;
    second.heldMs += heldMs;
  }

  /** How long callers waited for a connection. */
  get waitTimes(): Times {
    return timesOf(this.waits);
  }

  /** How long connections were held. */
  get holdTimes(): Times {
    return timesOf(this.holds);
  }

  /** Of the last minute, or since the start when that is shorter. */
  demand(): PoolDemand {
    const now = Math.floor(this.clock.monotonicMs() / 1000);
    const recent = this.seconds.filter(({ at }) => at > now - WINDOW_S);
    const seconds = Math.max(1, Math.min(WINDOW_S, now - this.startedS + 1));
    const sum = (of: (second: Second) => number) => recent.reduce((all, one) => all + of(one), 0);
    const arrivals = sum((second) => second.arrivals);
    const heldMs = sum((second) => second.heldMs);
    const releases = sum((second) => second.releases);
    return {
      seconds,
      arrivalsPerSecond: arrivals / seconds,
      meanHoldMs: releases === 0 ? 0 : heldMs / releases,
      meanBusy: heldMs / 1000 / seconds,
      peakBusy: recent.reduce((peak, second) => Math.max(peak, second.peakBusy), 0),
    };
  }

  private second(): Second {
    const at = Math.floor(this.clock.monotonicMs() / 1000);
    const known = this.seconds[at % WINDOW_S];
    if (known?.at === at) return known;
    const second = { at, arrivals: 0, heldMs: 0, releases: 0, peakBusy: 0 };
    this.seconds[at % WINDOW_S] = second;
    return second;
  }
}

function record(histogram: RecordableHistogram, ms: number): void {
  histogram.record(Math.max(1, Math.round(ms * US_PER_MS)));
}

function timesOf(histogram: RecordableHistogram): Times {
  const { count } = histogram;
  const ms = (us: number): number => (count === 0 ? 0 : us / US_PER_MS);
  return {
    count,
    meanMs: ms(histogram.mean),
    p50Ms: ms(histogram.percentile(50)),
    p95Ms: ms(histogram.percentile(95)),
    p99Ms: ms(histogram.percentile(99)),
    maxMs: ms(histogram.max),
  };
}
