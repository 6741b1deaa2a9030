import { PantheonError } from '#libs/core';

/** Errors of RFC 6749 (sections 4.1.2.1 and 5.2), as the protocol names them. */
export type OAuthErrorName =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'unsupported_response_type'
  | 'unsupported_token_type'
  | 'access_denied';

/** A request of the OAuth protocol that is refused. The endpoints answer it in the protocol's own form. */
export class OAuthError extends PantheonError {
  constructor(
    readonly error: OAuthErrorName,
    message: string,
  ) {
    super('OAUTH_REFUSED', message, {
      kind: error === 'invalid_client' ? 'unauthenticated' : 'invalid',
    });
  }
}
