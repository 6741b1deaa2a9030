import { GRANT_TYPES } from './oauth-client.js';

const SECRET_METHODS = ['client_secret_basic', 'client_secret_post'];
const ANY_METHOD = [...SECRET_METHODS, 'none'];

/** What the authorization server offers (RFC 8414), for an issuer that is an origin. */
export function serverMetadata(issuer: string) {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oauth/authorize`,
    token_endpoint: `${issuer}/oauth/token`,
    revocation_endpoint: `${issuer}/oauth/revoke`,
    introspection_endpoint: `${issuer}/oauth/introspect`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    response_types_supported: ['code'],
    response_modes_supported: ['query'],
    grant_types_supported: [...GRANT_TYPES],
    token_endpoint_auth_methods_supported: ANY_METHOD,
    revocation_endpoint_auth_methods_supported: ANY_METHOD,
    introspection_endpoint_auth_methods_supported: SECRET_METHODS,
    code_challenge_methods_supported: ['S256'],
    authorization_response_iss_parameter_supported: true,
  };
}
