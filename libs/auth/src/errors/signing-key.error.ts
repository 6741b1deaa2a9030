import { PantheonError } from '#libs/core';

/** A stored signing key cannot be read with the encryption key that is set. */
export class SigningKeyUnreadableError extends PantheonError {
  constructor(kid: string, reason: 'no-encryption-key' | 'other-encryption-key', cause?: unknown) {
    const what =
      reason === 'no-encryption-key'
        ? 'is encrypted and PANTHEON_AUTH_ENCRYPTION_KEY is not set'
        : 'was encrypted with another PANTHEON_AUTH_ENCRYPTION_KEY';
    super(
      'AUTH_SIGNING_KEY_UNREADABLE',
      `The token signing key ${kid} ${what}. Set the variable to the value it had, or delete the ` +
        'row from the table signing_key: the access tokens that it signed become invalid, and a new key is made when none is left.',
      { kind: 'internal', cause },
    );
  }
}
