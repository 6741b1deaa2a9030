import { PantheonError } from '#libs/core';

type ForbiddenCode =
  | 'AUTH_PERMISSION_DENIED'
  | 'AUTH_GRANT_EXCEEDS_OWN'
  | 'AUTH_ROLE_BUILT_IN'
  | 'AUTH_REGISTRATION_CLOSED'
  | 'AUTH_SESSION_REQUIRED'
  | 'AUTH_API_KEY_WIDENED';

/** The caller is known and may not do this. */
export class ForbiddenError extends PantheonError {
  constructor(code: ForbiddenCode, message: string) {
    super(code, message, { kind: 'forbidden' });
  }
}
