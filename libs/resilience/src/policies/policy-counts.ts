import { DeadlineExceededError } from '#libs/core';
import { BulkheadFullError, CallTimedOutError, CircuitOpenError } from './errors/policy.errors.js';

/** How a call ended, before any fallback. */
export const CALL_OUTCOMES = [
  'succeeded',
  'failed',
  'timed-out',
  'deadline-exceeded',
  'circuit-open',
  'bulkhead-full',
  'cancelled',
] as const;
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** What happened to the calls of a policy since the start. */
export class PolicyCounts {
  readonly calls: Record<CallOutcome, number> = {
    succeeded: 0,
    failed: 0,
    'timed-out': 0,
    'deadline-exceeded': 0,
    'circuit-open': 0,
    'bulkhead-full': 0,
    cancelled: 0,
  };
  /** Attempts that reached the part, first ones and retries. */
  attempts = 0;
  retries = 0;
  /** Failures that were not retried because the budget was used up. */
  retriesDenied = 0;
  fallbacks = 0;

  ended(error: unknown, isCancelled: boolean): void {
    this.calls[isCancelled ? 'cancelled' : outcomeOf(error)] += 1;
  }
}

function outcomeOf(error: unknown): CallOutcome {
  if (error instanceof CircuitOpenError) return 'circuit-open';
  if (error instanceof BulkheadFullError) return 'bulkhead-full';
  if (error instanceof DeadlineExceededError) return 'deadline-exceeded';
  return error instanceof CallTimedOutError ? 'timed-out' : 'failed';
}
