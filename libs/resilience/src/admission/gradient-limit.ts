import type { RouteLatency } from './route-latency.js';

export interface GradientOptions {
  readonly minLimit: number;
  readonly initialLimit: number;
  readonly maxLimit: number;
  /** Times the usual that requests may take before the limit comes down. */
  readonly latencyTolerance: number;
  readonly loopDelayTargetMs: number;
}

/** A window with fewer answers goes on. */
const MIN_SAMPLES = 10;
/** A slope below it is an outlier, and would shed more than is needed. */
const STEEPEST = 0.5;
/** Room for a queue beyond what the slope says, so that a higher limit is tried: part of the root of the limit. */
const QUEUE_ROOM = 0.5;
/** Part of a new estimate that is taken over. */
const SMOOTHING = 0.2;
/** Below this part of the limit in use nothing is learnt of what would be more. */
const IN_USE = 0.5;

/**
 * How many requests may be at work at once, by Gradient2 (Netflix, concurrency-limits): as long as
 * they take what is usual the limit grows a little, as they take longer it shrinks in proportion.
 * Three things differ. Latencies are compared with those of their own route, so that a change in what
 * is asked is not taken for load. What is usual does not grow while the limit is reached, else a long
 * overload would become usual; only at the lowest limit it does, for there it is not our doing. And a
 * late event loop shrinks the limit like late answers do.
 */
export class GradientLimit {
  private estimate: number;
  private peak = 0;
  private count = 0;
  private touched: RouteLatency[] = [];

  constructor(private options: GradientOptions) {
    this.estimate = this.bounded(options.initialLimit);
  }

  get limit(): number {
    return Math.floor(this.estimate);
  }

  /** Other bounds, from now on. */
  configure(options: GradientOptions): void {
    const isStart = this.options.initialLimit !== options.initialLimit;
    this.options = options;
    this.estimate = this.bounded(isStart ? options.initialLimit : this.estimate);
  }

  /** A request has begun, as one of so many. */
  began(inFlight: number): void {
    if (inFlight > this.peak) this.peak = inFlight;
  }

  /** A request of a route has ended in order after so long at work. */
  ended(route: RouteLatency, ms: number): void {
    if (route.add(ms)) this.touched.push(route);
    this.count += 1;
  }

  /** Called every so often: takes what was measured into the limit. */
  update(loopDelayMs: number, hasQueue: boolean, inFlight: number): void {
    if (this.count < MIN_SAMPLES) return;
    const { estimate, touched } = this;
    const isInUse = this.peak >= estimate * IN_USE;
    const isSaturated = hasQueue || this.peak >= Math.floor(estimate);
    const isLowest = estimate <= this.options.minLimit;
    let actualMs = 0;
    let usualMs = 0;
    for (const route of touched) {
      actualMs += route.totalMs;
      usualMs += route.usualTotalMs;
      route.learn(isLowest ? 'fast' : isSaturated ? 'no' : 'slow');
    }
    this.count = 0;
    this.touched = [];
    this.peak = inFlight;
    if (!isInUse || actualMs === 0) return;
    const slope = Math.min(
      (this.options.latencyTolerance * usualMs) / actualMs,
      this.options.loopDelayTargetMs / Math.max(loopDelayMs, Number.MIN_VALUE),
    );
    const next =
      estimate * Math.max(STEEPEST, Math.min(1, slope)) + Math.sqrt(estimate) * QUEUE_ROOM;
    this.estimate = this.bounded(estimate * (1 - SMOOTHING) + next * SMOOTHING);
  }

  private bounded(limit: number): number {
    const { minLimit, maxLimit } = this.options;
    return Math.min(Math.max(limit, minLimit), Math.max(minLimit, maxLimit));
  }
}
