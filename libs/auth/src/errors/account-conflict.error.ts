import { PantheonError } from '#libs/core';

type ConflictCode =
  | 'AUTH_EMAIL_UNAVAILABLE'
  | 'AUTH_ROLE_EXISTS'
  | 'AUTH_SELF_CHANGE'
  | 'AUTH_REFRESH_CONCURRENT'
  | 'AUTH_SESSION_OF_CLIENT'
  | 'AUTH_API_KEY_LIMIT'
  | 'AUTH_API_KEY_ENDED'
  | 'OAUTH_CLIENT_LIMIT'
  | 'AUTH_SERVICE_ACCOUNT';

/** What was asked for collides with what is already there. */
export class AccountConflictError extends PantheonError {
  constructor(code: ConflictCode, message: string) {
    super(code, message, { kind: 'conflict' });
  }
}
