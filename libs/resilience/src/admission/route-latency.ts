/** Part of a sample by which what is usual goes up, and down: it is the time without a queue. */
const UP = 0.002;
const DOWN = 0.02;
/** However many samples a window has, it moves the usual by this part at most. */
const MOST = 0.5;

/** How long a route takes at work, its wait for a turn not counted. */
export class RouteLatency {
  /** Undefined until it has answered once. */
  usualMs: number | undefined;
  private sumMs = 0;
  private count = 0;

  /** Whether this is the first sample since the last `learn`. */
  add(ms: number): boolean {
    this.sumMs += ms;
    this.count += 1;
    return this.count === 1;
  }

  get samples(): number {
    return this.count;
  }

  /** All samples since the last `learn`. */
  get totalMs(): number {
    return this.sumMs;
  }

  /** What the samples would have taken as usual. */
  get usualTotalMs(): number {
    return this.usualMs === undefined ? this.sumMs : this.usualMs * this.count;
  }

  /**
   * Takes the samples into what is usual, and begins anew. Those of a saturated time make it no
   * longer, since they waited for one another.
   */
  learn(mayGrow: boolean): void {
    const { count, sumMs, usualMs } = this;
    this.count = 0;
    this.sumMs = 0;
    if (count === 0) return;
    const mean = sumMs / count;
    if (usualMs === undefined) this.usualMs = mean;
    else if (mean < usualMs || mayGrow) {
      const part = Math.min(MOST, (mean < usualMs ? DOWN : UP) * count);
      this.usualMs = usualMs + (mean - usualMs) * part;
    }
  }
}
