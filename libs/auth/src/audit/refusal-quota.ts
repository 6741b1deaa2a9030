import type { Clock } from '#libs/core';

const MINUTE_MS = 60_000;

/** So many in each minute; counts those beyond. */
export class RefusalQuota {
  private windowEndsMs = Number.NEGATIVE_INFINITY;
  private left = 0;
  private beyond = 0;

  constructor(
    private readonly perMinute: () => number,
    private readonly clock: Clock,
  ) {}

  /** Whether there is room for one more. */
  take(): boolean {
    const nowMs = this.clock.monotonicMs();
    if (nowMs >= this.windowEndsMs) {
      this.windowEndsMs = nowMs + MINUTE_MS;
      this.left = this.perMinute();
    }
    if (this.left <= 0) {
      this.beyond += 1;
      return false;
    }
    this.left -= 1;
    return true;
  }

  /** How many were beyond since the last call. */
  drain(): number {
    const { beyond } = this;
    this.beyond = 0;
    return beyond;
  }
}
