import { PantheonError } from '#libs/core';

/** There is no such user or role in the caller's organization. */
export class AccountNotFoundError extends PantheonError {
  constructor(what: 'user' | 'role') {
    super(`AUTH_${what === 'user' ? 'USER' : 'ROLE'}_NOT_FOUND`, `There is no such ${what}.`, {
      kind: 'not-found',
    });
  }
}
