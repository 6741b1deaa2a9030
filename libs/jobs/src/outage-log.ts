import type { Clock } from '#libs/core';
import type { JobLog } from './job-log.js';

const QUIET_MS = 30_000;

/**
 * Logs the errors of connections: a lost store makes several a second, of which the first says
 * it all. Another is logged after half a minute, with the number of those in between.
 */
export class OutageLog {
  private lastMs = -Infinity;
  private suppressed = 0;

  constructor(
    private readonly log: JobLog,
    private readonly clock: Clock,
  ) {}

  report(error: unknown): void {
    const now = this.clock.monotonicMs();
    if (now - this.lastMs < QUIET_MS) {
      this.suppressed += 1;
      return;
    }
    this.log.warn('The job store does not answer; trying again until it does', {
      err: error,
      code: 'JOBS_UNAVAILABLE',
      ...(this.suppressed > 0 && { suppressed: this.suppressed }),
    });
    this.lastMs = now;
    this.suppressed = 0;
  }

  /** The store answered: the next error is the first of another outage. */
  over(): void {
    if (this.lastMs === -Infinity) return;
    this.log.info('The job store answers again');
    this.lastMs = -Infinity;
    this.suppressed = 0;
  }
}
