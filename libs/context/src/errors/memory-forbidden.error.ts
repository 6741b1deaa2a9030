import { PantheonError } from '#libs/core';

/** Thrown when no grant of the caller allows an action on memories. */
export class MemoryForbiddenError extends PantheonError {
  constructor(readonly action: string) {
    super('MEMORY_FORBIDDEN', `You may not ${action} memories.`, { kind: 'forbidden' });
  }
}
