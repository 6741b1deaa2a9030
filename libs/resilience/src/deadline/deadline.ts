import { DeadlineExceededError } from '#libs/core';
import { currentContext } from '#libs/logging';

/** A timer that waits longer would fire at once. */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * How long the caller of the request at hand still waits, in milliseconds; 0 when it no longer does,
 * undefined when there is no bound or no request.
 */
export function remainingMs(): number | undefined {
  const deadlineMs = currentContext()?.deadlineMs;
  return deadlineMs === undefined ? undefined : Math.max(0, deadlineMs - performance.now());
}

/**
 * A signal that aborts with `DeadlineExceededError` when the caller stops waiting; undefined when
 * there is no bound. For calls that can be stopped, such as `fetch`: its timer keeps no process alive.
 */
export function deadlineSignal(work = 'a call to another service'): AbortSignal | undefined {
  const leftMs = remainingMs();
  if (leftMs === undefined) return undefined;
  const controller = new AbortController();
  const abort = (): void => controller.abort(new DeadlineExceededError(work));
  if (leftMs === 0) abort();
  else setTimeout(abort, Math.min(leftMs, LONGEST_TIMER_MS)).unref();
  return controller.signal;
}
