/** The source of time. Inject it instead of calling `Date.now()`, so that a test can move it. */
export abstract class Clock {
  /** Milliseconds since the Unix epoch. */
  abstract nowMs(): number;
  /** Milliseconds of a clock that never steps back, for measuring durations. */
  abstract monotonicMs(): number;

  now(): Date {
    return new Date(this.nowMs());
  }
}

/** The clock of the machine. */
export class SystemClock extends Clock {
  nowMs(): number {
    return Date.now();
  }

  monotonicMs(): number {
    return performance.now();
  }
}

/** A clock that stands still until a test moves it. */
export class ManualClock extends Clock {
  constructor(private currentMs = Date.UTC(2026, 0, 1)) {
    super();
  }

  nowMs(): number {
    return this.currentMs;
  }

  monotonicMs(): number {
    return this.currentMs;
  }

  advance(ms: number): void {
    this.currentMs += ms;
  }
}
