import { messageOf, PantheonError } from '#libs/core';

/** The file of breached passwords that the settings name cannot be read. */
export class BreachedPasswordsError extends PantheonError {
  constructor(path: string, cause: unknown) {
    super(
      'AUTH_BREACHED_PASSWORDS_UNREADABLE',
      `The file of breached passwords ${path} cannot be read: ${messageOf(cause)}. Put it there, or ` +
        'leave PANTHEON_AUTH_BREACHED_PASSWORDS_FILE (auth.breachedPasswordsFile) out.',
      { kind: 'internal', cause },
    );
  }
}
