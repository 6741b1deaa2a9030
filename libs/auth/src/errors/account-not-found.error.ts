import { PantheonError } from '#libs/core';

/** There is no such user or role in the caller's organization, or no such live session of the user. */
export class AccountNotFoundError extends PantheonError {
  constructor(what: 'user' | 'role' | 'session') {
    super(`AUTH_${what.toUpperCase()}_NOT_FOUND`, `There is no such ${what}.`, {
      kind: 'not-found',
    });
  }
}
