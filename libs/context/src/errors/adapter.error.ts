import { PantheonError } from '#libs/core';

/** Thrown when the context port cannot be made or used; the message is part of its contract. */
export class AdapterError extends PantheonError {
  constructor(message: string, cause?: unknown) {
    super('CONTEXT_ADAPTER', message, {
      kind: cause === undefined ? 'invalid' : 'unavailable',
      cause,
    });
  }
}
