import { PantheonError } from '#libs/core';

/** Thrown for an entry that its source does not hold. */
export class EntryNotFoundError extends PantheonError {
  constructor(readonly entryId: string) {
    super('ENTRY_NOT_FOUND', `There is no entry "${entryId}" here.`, { kind: 'not-found' });
  }
}
