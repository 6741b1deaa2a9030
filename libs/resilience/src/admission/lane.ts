import type { PriorityClass } from '#libs/http';
import { OverloadDetector } from './overload-detector.js';
import { REFUSAL_CAUSES, type RefusalCause } from './refusal-cause.js';
import { WaitingLine } from './waiting-line.js';

/** The requests of one priority class: those at work, those that wait, and what became of all. */
export class Lane {
  readonly line = new WaitingLine();
  readonly detector = new OverloadDetector();
  readonly refused = Object.fromEntries(REFUSAL_CAUSES.map((cause) => [cause, 0])) as Record<
    RefusalCause,
    number
  >;
  inFlight = 0;
  admitted = 0;
  /** Of the admitted, those that had to wait. */
  queued = 0;
  /** Those whose client left while they waited. */
  left = 0;

  constructor(readonly priority: PriorityClass) {}

  /** Counts a request in. */
  begin(): void {
    this.inFlight += 1;
    this.admitted += 1;
    this.detector.served();
  }
}
