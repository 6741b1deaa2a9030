import { PantheonError } from '#libs/core';

/** Thrown when none of the sources of a compile could be read. */
export class ContextUnavailableError extends PantheonError {
  constructor(cause: unknown) {
    super('CONTEXT_UNAVAILABLE', 'None of the sources could be read; try again.', {
      kind: 'unavailable',
      retryAfterSeconds: 1,
      cause,
    });
  }
}
