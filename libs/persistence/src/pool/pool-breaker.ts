import type { Clock } from '#libs/core';
import { poolEvents } from './pool.events.js';

export interface PoolBreakerOptions {
  readonly clock: Clock;
  /** Callers in a row that waited in vain, after which the next ones are turned away. */
  readonly timeouts: number;
  /** For how long; then one of them waits again. */
  readonly openMs: number;
}

/**
 * Keeps callers from waiting one after the other for a database that does not answer, such as a host
 * that has lost its network: nobody refuses there, so that each would wait for the whole time-out.
 *
 * closed --time-outs in a row, while no connection was got or came back--> open
 * open --openMs--> half-open: one caller waits again --in vain--> open
 * any --a connection is got, or comes back--> closed
 */
export class PoolBreaker {
  private current: 'closed' | 'open' | 'half-open' = 'closed';
  private timeoutsInARow = 0;
  private lastSignMs = -Infinity;
  private openedAtMs = 0;

  constructor(private readonly options: PoolBreakerOptions) {}

  get state(): 'closed' | 'open' | 'half-open' {
    return this.current;
  }

  /** Whether a caller may wait for a connection now. */
  admits(): boolean {
    if (this.current === 'closed') return true;
    if (this.current === 'half-open') return false;
    if (this.options.clock.monotonicMs() - this.openedAtMs < this.options.openMs) return false;
    this.current = 'half-open';
    return true;
  }

  /** A connection was got, or came back in order: the database answers. */
  signOfLife(): void {
    this.lastSignMs = this.options.clock.monotonicMs();
    this.timeoutsInARow = 0;
    if (this.current === 'closed') return;
    this.current = 'closed';
    poolEvents.publish(() => ({ type: 'answers-again' }));
  }

  /** A caller who came at `sinceMs` got no connection in time. */
  waitedInVain(sinceMs: number): void {
    // Others had their turn meanwhile: the pool is busy, and not cut off.
    if (this.lastSignMs > sinceMs) return;
    this.timeoutsInARow += 1;
    if (this.current === 'closed' && this.timeoutsInARow < this.options.timeouts) return;
    const wasClosed = this.current === 'closed';
    this.current = 'open';
    this.openedAtMs = this.options.clock.monotonicMs();
    if (wasClosed) poolEvents.publish(() => ({ type: 'does-not-answer' }));
  }

  /** The caller who waited again got an error: it is over, and the next one finds out. */
  failed(): void {
    if (this.current !== 'half-open') return;
    this.current = 'open';
    this.openedAtMs = -Infinity;
  }
}
