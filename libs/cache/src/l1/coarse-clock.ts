import { Clock } from '#libs/core';

/** Later than every expiry: whatever expires takes the exact path. */
const IDLE = Number.MAX_VALUE;
/** Ticks until the timer rests; the next look at something that expires starts it again. */
const TICKS_UNTIL_REST = 64;

/**
 * A clock that is read from a field. A timer copies the time of the exact clock into it every
 * `resolutionMs` while the clock is in use, and rests otherwise, so an idle process has no timer.
 *
 * `nowMs` is at most `resolutionMs` behind while the event loop turns; while synchronous code holds
 * the loop it is behind by as much as that takes, so readers in a loop call `refresh` now and then.
 * A resolution of 0 gives no timer: every reader takes the exact path.
 */
export class CoarseClock {
  /** The time of the last tick, or later than everything while the timer rests. */
  nowMs = IDLE;
  private timer: NodeJS.Timeout | undefined;
  private ticksLeft = 0;

  constructor(
    private readonly clock: Clock,
    readonly resolutionMs: number,
  ) {}

  /** The exact time; starts the timer. */
  wake(): number {
    const nowMs = this.clock.nowMs();
    if (this.resolutionMs === 0) return nowMs;
    this.nowMs = nowMs;
    this.ticksLeft = TICKS_UNTIL_REST;
    this.timer ??= setInterval(() => this.tick(), this.resolutionMs).unref();
    return nowMs;
  }

  /** Reads the exact clock now, if the timer runs. */
  refresh(): void {
    if (this.timer !== undefined) this.nowMs = this.clock.nowMs();
  }

  private tick(): void {
    this.ticksLeft -= 1;
    if (this.ticksLeft > 0) {
      this.nowMs = this.clock.nowMs();
      return;
    }
    clearInterval(this.timer);
    this.timer = undefined;
    this.nowMs = IDLE;
  }
}

const shared = new WeakMap<Clock, Map<number, CoarseClock>>();

/** The coarse clock that all caches of a process share for a clock and a resolution. */
export function coarseClockOf(clock: Clock, resolutionMs: number): CoarseClock {
  let byResolution = shared.get(clock);
  if (byResolution === undefined) {
    byResolution = new Map();
    shared.set(clock, byResolution);
  }
  let coarse = byResolution.get(resolutionMs);
  if (coarse === undefined) {
    coarse = new CoarseClock(clock, resolutionMs);
    byResolution.set(resolutionMs, coarse);
  }
  return coarse;
}
