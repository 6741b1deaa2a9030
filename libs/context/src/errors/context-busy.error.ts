import { PantheonError } from '#libs/core';

/** Thrown when as many streams and long writes are under way as may be. */
export class ContextBusyError extends PantheonError {
  constructor(readonly limit: number) {
    super(
      'CONTEXT_BUSY',
      `${limit} streams or long writes are under way (context.longConnections); try again.`,
      { kind: 'unavailable', retryAfterSeconds: 1 },
    );
  }
}
