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
/** Part of a new estimate that is taken over near to where the limit should be … */
const SMOOTHING_NEAR = 0.25;
/** … and where nothing is slower at all, or by far too much. */
const SMOOTHING_FAR = 0.5;
const FAR_SLOPE = 0.7;
/** Below this part of the limit in use nothing is learnt of what would be more. */
const IN_USE = 0.5;

/** A probe lets this part of the limit to work, for so many windows … */
const PROBED_PART = 0.5;
const PROBE_WINDOWS = 4;
/** … after so many saturated ones, twice as many each time up to the second number. */
const FIRST_PROBE_AFTER = 20;
const LONGEST_PROBE_AFTER = 200;

/**
 * How many requests may be at work at once, by Gradient2 (Netflix, concurrency-limits): as long as
 * they take what is usual the limit grows a little, as they take longer it shrinks in proportion.
 * Three things differ. Latencies are compared with those of their own route, so that a change in what
 * is asked is not taken for load. What is usual grows only while few are at work, else a long overload
 * would become usual, or at the lowest limit, for there it is not our doing; and in a long overload half
 * the limit is tried now and then, to see what is usual (as BBR does with its round trip time). And a late
 * event loop shrinks the limit like late answers do.
 */
export class GradientLimit {
  private estimate: number;
  private peak = 0;
  private count = 0;
  private touched: RouteLatency[] = [];
  private saturated = 0;
  private probeAfter = FIRST_PROBE_AFTER;
  private probing = 0;

  constructor(private options: GradientOptions) {
    this.estimate = this.bounded(options.initialLimit);
  }

  get limit(): number {
    if (this.probing === 0) return Math.floor(this.estimate);
    return Math.max(this.options.minLimit, Math.floor(this.estimate * PROBED_PART));
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
      route.learn(isLowest ? 'fast' : isInUse || isSaturated ? 'no' : 'slow');
    }
    this.count = 0;
    this.touched = [];
    this.peak = inFlight;
    if (this.isProbe(isSaturated) || !isInUse || actualMs === 0) return;
    const slope = Math.min(
      (this.options.latencyTolerance * usualMs) / actualMs,
      this.options.loopDelayTargetMs / Math.max(loopDelayMs, Number.MIN_VALUE),
    );
    const next =
      estimate * Math.max(STEEPEST, Math.min(1, slope)) + Math.sqrt(estimate) * QUEUE_ROOM;
    const part = slope < FAR_SLOPE || slope >= 1 ? SMOOTHING_FAR : SMOOTHING_NEAR;
    this.estimate = this.bounded(estimate + (next - estimate) * part);
  }

  /** Whether the window was part of a probe, of which the limit learns nothing. */
  private isProbe(isSaturated: boolean): boolean {
    if (this.probing > 0) {
      this.probing -= 1;
      return true;
    }
    this.saturated = isSaturated ? this.saturated + 1 : 0;
    if (!isSaturated) this.probeAfter = FIRST_PROBE_AFTER;
    else if (this.saturated >= this.probeAfter) {
      this.saturated = 0;
      this.probing = PROBE_WINDOWS;
      this.probeAfter = Math.min(this.probeAfter * 2, LONGEST_PROBE_AFTER);
    }
    return false;
  }

  private bounded(limit: number): number {
    const { minLimit, maxLimit } = this.options;
    return Math.min(Math.max(limit, minLimit), Math.max(minLimit, maxLimit));
  }
}
