import type { Clock } from '#libs/core';
import type { RetryLimits } from './policy.options.js';
import { RollingCounts } from './rolling-counts.js';

/**
 * Keeps retries from becoming the load that keeps a part down: within a window no more of them than
 * a part of the calls, and a few beside for when there are hardly any calls.
 */
export class RetryBudget {
  /** First: calls; second: retries. */
  private readonly counts: RollingCounts;
  private windowMs: number;

  constructor(
    clock: Clock,
    private limits: RetryLimits,
  ) {
    this.windowMs = limits.budgetWindowMs;
    this.counts = new RollingCounts(clock, this.windowMs);
  }

  /** Retries that are allowed now. */
  get left(): number {
    const { budgetFloor, budgetPercent } = this.limits;
    const allowed = budgetFloor + (this.counts.first * budgetPercent) / 100;
    return Math.max(0, Math.floor(allowed - this.counts.second));
  }

  called(): void {
    this.counts.addFirst();
  }

  /** Whether one more retry is allowed; it counts as done. */
  take(): boolean {
    if (this.left < 1) return false;
    this.counts.addSecond();
    return true;
  }

  configure(limits: RetryLimits): void {
    this.limits = limits;
    if (limits.budgetWindowMs === this.windowMs) return;
    this.windowMs = limits.budgetWindowMs;
    this.counts.reset(this.windowMs);
  }
}
