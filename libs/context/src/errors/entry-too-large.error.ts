import { PantheonError } from '#libs/core';

/** Thrown for an entry whose text is longer than a setting allows. */
export class EntryTooLargeError extends PantheonError {
  constructor(readonly maxBytes: number) {
    const message = `The text may have ${maxBytes} bytes at most (context.entryTextMaxBytes).`;
    super('ENTRY_TOO_LARGE', message, { kind: 'too-large' });
  }
}
