import type * as Cockatiel from 'cockatiel';
import type { Clock } from '#libs/core';
import { CircuitOpenError } from './errors/policy.errors.js';
import { circuitChanged, type CircuitState } from './policy.channels.js';
import type { CircuitLimits } from './policy.options.js';
import { RollingCounts } from './rolling-counts.js';

export interface CircuitParts {
  readonly name: string;
  readonly clock: Clock;
  readonly limits: CircuitLimits;
  readonly isFailure: (error: unknown) => boolean;
  /** Called when calls are no longer let through. */
  readonly onOpen: () => void;
}

/** Carries the error of a call that nobody waits for any more past the breaker, which does not count it. */
class CallerLeft extends Error {
  constructor(readonly reason: unknown) {
    super('The caller has left.');
  }
}

const STATES = ['closed', 'open', 'half-open', 'isolated'] as const satisfies CircuitState[];

/**
 * The breaker of one policy, on cockatiel's.
 *
 * closed --failures within the window--> open --openMs--> half-open --success--> closed
 *                                                             `------failure--> open, for longer
 * any --isolate()--> isolated --release()--> closed
 *
 * In half-open one call is let through, the probe; the others fail at once until it has ended.
 * cockatiel decides who is the probe. Ours are: when the time of the next one has come, by a clock that
 * never steps back; and the window, whose counts age while nothing is called (those of cockatiel's
 * SamplingBreaker stay until as many calls have come as it has slots).
 */
export class Circuit {
  private readonly policy: Cockatiel.CircuitBreakerPolicy;
  /** First: successes; second: failures. */
  private readonly counts: RollingCounts;
  private limits: CircuitLimits;
  private current: CircuitState = 'closed';
  private isolation: { dispose(): void } | undefined;
  private opensInARow = 0;
  private openUntilMs = 0;
  private changedAtMs: number;
  private error: unknown;
  private isRetired = false;

  constructor(
    { circuitBreaker, handleWhen }: typeof Cockatiel,
    private readonly parts: CircuitParts,
  ) {
    this.limits = parts.limits;
    this.changedAtMs = parts.clock.nowMs();
    this.counts = new RollingCounts(parts.clock, this.limits.windowMs);
    const isCounted = (error: unknown): boolean =>
      !(error instanceof CallerLeft) && parts.isFailure(error);
    this.policy = circuitBreaker(handleWhen(isCounted), {
      halfOpenAfter: 0,
      breaker: {
        state: undefined,
        success: () => this.counts.addFirst(),
        failure: (state) => this.failed(STATES[state]),
      },
    });
    this.policy.onBreak((reason) => (this.error = 'error' in reason ? reason.error : undefined));
    this.policy.onStateChange((state) => this.changed(STATES[state] ?? 'closed'));
  }

  get state(): CircuitState {
    return this.current;
  }

  get sinceMs(): number {
    return this.changedAtMs;
  }

  /** Of the last that opened it, while it is not closed. */
  get lastError(): unknown {
    return this.current === 'closed' ? undefined : this.error;
  }

  /** Calls of the window that went well, and that failed. */
  get window(): { readonly succeeded: number; readonly failed: number } {
    return { succeeded: this.counts.first, failed: this.counts.second };
  }

  /** Milliseconds until a probe is let through; 0 when calls are. */
  get waitMs(): number {
    if (this.current === 'closed') return 0;
    return Math.max(0, this.openUntilMs - this.parts.clock.monotonicMs());
  }

  /** Why no call is let through now; undefined when one is. */
  refusal(): CircuitOpenError | undefined {
    if (this.current === 'closed') return undefined;
    if (this.current === 'open' && this.waitMs === 0) return undefined;
    const waitMs = this.current === 'isolated' ? this.limits.openMs : this.waitMs;
    return new CircuitOpenError(this.parts.name, waitMs);
  }

  /**
   * Makes a call that `refusal` has let through. In the state `open` it is the probe. What fails after
   * `signal` was aborted counts neither way; a probe has none, for it would close the breaker.
   */
  async execute<Result>(call: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (signal === undefined) return this.policy.execute(call);
    const counted = async (): Promise<Result> => {
      try {
        return await call();
      } catch (error) {
        throw signal.aborted ? new CallerLeft(error) : error;
      }
    };
    try {
      return await this.policy.execute(counted);
    } catch (error) {
      throw error instanceof CallerLeft ? error.reason : error;
    }
  }

  /** Lets nothing through until `release`. */
  isolate(): void {
    this.isolation ??= this.policy.isolate();
  }

  /** Lets calls through again, whoever has opened it. */
  release(): void {
    if (this.current === 'closed') return;
    this.isolation ??= this.policy.isolate();
    this.isolation.dispose();
    this.isolation = undefined;
  }

  /** Lets calls through for good, and tells nothing of how those under way end. */
  retire(): void {
    this.release();
    this.isRetired = true;
  }

  configure(limits: CircuitLimits): void {
    if (limits.windowMs !== this.limits.windowMs) this.counts.reset(limits.windowMs);
    this.limits = limits;
  }

  /** Whether it opens now. `begunIn` is the state when the call began. */
  private failed(begunIn: CircuitState | undefined): boolean {
    this.counts.addSecond();
    if (begunIn !== 'closed') return true;
    // A call from before says nothing about a part that is being probed.
    if (this.current !== 'closed') return false;
    const { failed, succeeded } = this.window;
    const { minimumCalls, failurePercent } = this.limits;
    const calls = failed + succeeded;
    return calls >= minimumCalls && failed * 100 >= calls * failurePercent;
  }

  private changed(state: CircuitState): void {
    if (this.isRetired) return;
    const before = this.current;
    this.current = state;
    this.changedAtMs = this.parts.clock.nowMs();
    if (state === 'open') {
      const { openMs, maxOpenMs } = this.limits;
      const forMs = Math.min(maxOpenMs, openMs * 2 ** this.opensInARow);
      this.opensInARow += 1;
      this.openUntilMs = this.parts.clock.monotonicMs() + forMs;
    } else if (state === 'closed') {
      this.opensInARow = 0;
      this.counts.reset();
    }
    circuitChanged.publish(() => ({
      name: this.parts.name,
      before,
      state,
      ...(state === 'open' && { openMs: this.waitMs, error: this.error }),
    }));
    if (state === 'open' || state === 'isolated') this.parts.onOpen();
  }
}
