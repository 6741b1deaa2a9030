/** Part of a sample that is taken into what is usual, slowly and fast. */
const SLOW = 0.002;
const FAST = 0.02;
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

  /** All samples since the last `learn`. */
  get totalMs(): number {
    return this.sumMs;
  }

  /** What the samples would have taken as usual. */
  get usualTotalMs(): number {
    return this.usualMs === undefined ? this.sumMs : this.usualMs * this.count;
  }

  /**
   * Takes the samples into what is usual, and begins anew. It is the time without a queue, so shorter
   * times count at once; how longer ones do is said by who knows whether they waited for one another.
   */
  learn(growth: 'no' | 'slow' | 'fast'): void {
    const { count, sumMs, usualMs } = this;
    this.count = 0;
    this.sumMs = 0;
    if (count === 0) return;
    const mean = sumMs / count;
    if (usualMs === undefined) this.usualMs = mean;
    else if (mean < usualMs || growth !== 'no') {
      const part = mean < usualMs || growth === 'fast' ? FAST : SLOW;
      this.usualMs = usualMs + (mean - usualMs) * Math.min(MOST, part * count);
    }
  }
}
