import { PantheonError } from '#libs/core';

/** Thrown when a source of that name exists already. */
export class SourceNameTakenError extends PantheonError {
  constructor(readonly sourceName: string) {
    super('SOURCE_NAME_TAKEN', `There is a source "${sourceName}" already; choose another name.`, {
      kind: 'conflict',
    });
  }
}
