import { PantheonError } from '#libs/core';

/** Thrown when no grant of the caller allows an action on a source. */
export class SourceForbiddenError extends PantheonError {
  constructor(
    readonly resource: string,
    readonly action: string,
  ) {
    super('SOURCE_FORBIDDEN', `You may not ${action} ${resource}.`, { kind: 'forbidden' });
  }
}
