import { PantheonError } from '#libs/core';

/** Thrown for a source that does not exist, or that the caller must not know of. */
export class SourceNotFoundError extends PantheonError {
  constructor(readonly source: string) {
    super('SOURCE_NOT_FOUND', `There is no source "${source}".`, { kind: 'not-found' });
  }
}
