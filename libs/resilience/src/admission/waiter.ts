import type { RefusalCause } from './refusal-cause.js';
import type { RouteTicket } from './route-ticket.js';
import type { WaitingLine } from './waiting-line.js';

/** A request that waits for its turn. */
export abstract class Waiter {
  /** Its place in a line; null outside one. */
  line: WaitingLine | null = null;
  older: Waiter | null = null;
  newer: Waiter | null = null;
  /** How long it had waited when its turn came. */
  waitedMs = 0;

  constructor(
    readonly ticket: RouteTicket,
    readonly arrivedMs: number,
    /** When nobody waits for it any more; infinite without a bound. */
    readonly deadlineMs: number,
  ) {}

  /** Goes on with the request. */
  abstract proceed(): void;

  abstract refuse(cause: RefusalCause): void;
}
