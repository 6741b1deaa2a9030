/** A window ends after so long, when it has as many arrivals … */
const WINDOW_MS = 50;
const MIN_ARRIVALS = 10;
/** … or after this time at the latest. */
const LONGEST_WINDOW_MS = 1_000;
/** Windows that are looked at together. */
const WINDOWS = 4;
/** One window tells no more than this, so that a burst alone is no overload. */
const LEAST = 0.5;
const MOST = 1.5;
/** Demand, as a multiple of what can be served, at which overload begins and ends. */
const BEGINS = 1.25;
const ENDS = 1.1;
/** A queue that has not been empty for so long while the demand is this high does not go away by itself. */
const STANDING_MS = 500;
const STANDING_DEMAND = 1;

/**
 * Tells a burst, which a queue absorbs, from overload, in which a queue only makes everybody late.
 * Demand is arrivals by services, times how busy that which serves was: at twice the capacity it is
 * 2, however many are refused.
 */
export class OverloadDetector {
  private readonly ratios: number[] = Array.from({ length: WINDOWS }, () => 0);
  private arrivals = 0;
  private blocked = 0;
  private services = 0;
  private startedMs = 0;
  private emptyMs = 0;
  private hasBegun = false;
  private mean = 0;
  private rate: number | undefined;

  get isOverloaded(): boolean {
    return this.hasBegun;
  }

  /** Multiple of what can be served that is asked for, over the last windows. */
  get demand(): number {
    return this.mean;
  }

  /** Services per millisecond while some waited; undefined until some have. */
  get ratePerMs(): number | undefined {
    return this.rate;
  }

  /** A request has come. @param isBlocked whether as many as may be are at work */
  arrived(isBlocked: boolean): void {
    this.arrivals += 1;
    if (isBlocked) this.blocked += 1;
  }

  /** A request has gone to work. */
  served(): void {
    this.services += 1;
  }

  /** Nobody waits any more. */
  emptied(nowMs: number): void {
    this.emptyMs = nowMs;
  }

  /** Whether `roll` is due. */
  isWindowOver(nowMs: number): boolean {
    const ms = nowMs - this.startedMs;
    return ms >= WINDOW_MS && (this.arrivals >= MIN_ARRIVALS || ms >= LONGEST_WINDOW_MS);
  }

  /** Ends the window. @param loopBusy part of it in which the event loop had something to do */
  roll(nowMs: number, loopBusy: number, waiting: number): void {
    const { arrivals, services } = this;
    const ms = nowMs - this.startedMs;
    if (waiting === 0) this.emptyMs = nowMs;
    const blocked = arrivals === 0 ? 0 : this.blocked / arrivals;
    // Of what was before so long a time of rest nothing is left.
    if (ms > 2 * LONGEST_WINDOW_MS) this.ratios.fill(0);
    else {
      this.ratios.shift();
      this.ratios.push(((arrivals + 1) / (services + 1)) * Math.max(loopBusy, blocked));
    }
    this.mean = meanOf(this.ratios);
    const demand = this.lastingDemand();
    const isStanding = nowMs - this.emptyMs > STANDING_MS && demand >= STANDING_DEMAND;
    this.hasBegun = demand >= BEGINS || isStanding || (this.hasBegun && demand > ENDS);
    if (waiting > 0 && services > 0) {
      const rate = services / ms;
      this.rate = this.rate === undefined ? rate : (this.rate + rate) / 2;
    }
    this.arrivals = 0;
    this.blocked = 0;
    this.services = 0;
    this.startedMs = nowMs;
  }

  /** Of which a single window cannot make much. */
  private lastingDemand(): number {
    return meanOf(this.ratios.map((ratio) => Math.min(MOST, Math.max(LEAST, ratio))));
  }
}

function meanOf(ratios: readonly number[]): number {
  return ratios.reduce((sum, ratio) => sum + ratio, 0) / WINDOWS;
}
