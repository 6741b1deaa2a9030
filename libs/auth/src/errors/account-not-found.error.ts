import { PantheonError } from '#libs/core';

const CODES = {
  user: 'AUTH_USER_NOT_FOUND',
  role: 'AUTH_ROLE_NOT_FOUND',
  session: 'AUTH_SESSION_NOT_FOUND',
  'API key': 'AUTH_API_KEY_NOT_FOUND',
  client: 'OAUTH_CLIENT_NOT_FOUND',
} as const;

/** There is no such user, role or client in the caller's organization, or no such live session or key of the user. */
export class AccountNotFoundError extends PantheonError {
  constructor(what: keyof typeof CODES) {
    super(CODES[what], `There is no such ${what}.`, {
      kind: 'not-found',
    });
  }
}
