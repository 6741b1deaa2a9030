import { PantheonError } from '#libs/core';

type InputCode =
  | 'AUTH_PASSWORD_UNSUITABLE'
  | 'AUTH_PASSWORD_BREACHED'
  | 'AUTH_PASSWORD_USED_BEFORE'
  | 'AUTH_ROLE_UNKNOWN'
  | 'AUTH_API_KEY_LIFE'
  | 'OAUTH_CLIENT_INVALID';

/** An input that has the right form and still cannot be taken; `path` says where it stands. */
export class AccountInputError extends PantheonError {
  constructor(code: InputCode, path: string, message: string) {
    super(code, message, { kind: 'invalid', faults: [{ path, code, message }] });
  }
}
