import { PantheonError } from '#libs/core';

/** Too many failures from one side; nothing was tried. */
export class ThrottledError extends PantheonError {
  constructor(retryAfterSeconds: number) {
    super('AUTH_THROTTLED', `Too many failed attempts; try again in ${retryAfterSeconds} s.`, {
      kind: 'rate-limited',
      retryAfterSeconds,
    });
  }
}

/** More passwords wait to be checked than the queue takes. */
export class PasswordQueueFullError extends PantheonError {
  constructor() {
    super('AUTH_BUSY', 'Too many log-ins are being checked right now; try again in a moment.', {
      kind: 'unavailable',
      retryAfterSeconds: 1,
    });
  }
}
