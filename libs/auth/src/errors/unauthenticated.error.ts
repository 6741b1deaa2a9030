import { PantheonError } from '#libs/core';

const MESSAGES = {
  AUTH_TOKEN_MISSING: 'This route needs an access token: send "Authorization: Bearer <token>".',
  AUTH_TOKEN_EXPIRED: 'The access token has expired; refresh it or log in again.',
  AUTH_TOKEN_INVALID: 'The access token is not valid, or not any more; log in again.',
  AUTH_API_KEY_INVALID: 'The API key is not valid, or not any more; make another one.',
  AUTH_CREDENTIALS_INVALID: 'The email or the password is wrong.',
  AUTH_RESET_TOKEN_INVALID:
    'The token is not valid, was used, or has expired; ask for another one.',
  AUTH_REFRESH_TOKEN_INVALID: 'The refresh token is not valid, or not any more; log in again.',
  AUTH_REFRESH_TOKEN_REUSED:
    'The refresh token was used before, so its session was ended; log in again.',
} as const;

/**
 * The caller is not who they would have to be. Says no more than which credential failed: not
 * whether an account exists, is disabled or has logged out.
 */
export class UnauthenticatedError extends PantheonError {
  constructor(code: keyof typeof MESSAGES, cause?: unknown) {
    super(code, MESSAGES[code], { kind: 'unauthenticated', cause });
  }
}
