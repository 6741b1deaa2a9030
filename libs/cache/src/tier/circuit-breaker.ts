import type { Clock } from '#libs/core';
import { cacheState } from '../statistics/cache.channels.js';

export interface CircuitBreakerOptions {
  readonly part: string;
  readonly clock: Clock;
  /** Failures in a row after which calls are no longer tried. Default 5. */
  readonly failures?: number;
  /** How long calls are not tried; then one call probes. Default 1,000. */
  readonly openMs?: number;
}

type State = 'closed' | 'open' | 'half-open';

/**
 * Keeps a part that does not answer from slowing every call.
 *
 * closed --failures in a row--> open --openMs--> half-open --success--> closed
 *                                                    `-----failure--> open
 *
 * In half-open one call is let through, the probe; the others fail at once until it has ended.
 */
export class CircuitBreaker {
  private current: State = 'closed';
  private failuresInARow = 0;
  private openedAtMs = 0;

  constructor(private readonly options: CircuitBreakerOptions) {}

  get state(): State {
    return this.current;
  }

  /** Whether a call may be tried now. Who gets `true` must report how it went. */
  allows(): boolean {
    if (this.current === 'closed') return true;
    if (this.current === 'half-open') return false;
    const sinceMs = this.options.clock.monotonicMs() - this.openedAtMs;
    if (sinceMs < (this.options.openMs ?? 1_000)) return false;
    this.change('half-open');
    return true;
  }

  succeeded(): void {
    this.failuresInARow = 0;
    if (this.current !== 'closed') this.change('closed');
  }

  failed(): void {
    this.failuresInARow += 1;
    if (this.current === 'closed' && this.failuresInARow < (this.options.failures ?? 5)) return;
    this.openedAtMs = this.options.clock.monotonicMs();
    if (this.current !== 'open') this.change('open');
  }

  private change(state: State): void {
    this.current = state;
    cacheState.publish(() => ({ part: this.options.part, state }));
  }
}
