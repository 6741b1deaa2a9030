import { AccountInputError } from '../errors/account-input.error.js';
import {
  type ClientType,
  type GrantType,
  MAX_SCOPE_CHARACTERS,
  type OAuthClient,
} from './oauth-client.js';
import { redirectUriFault } from './redirect-uri.js';
import { formatScope, isScopeToken } from './scope.js';

type Parts = Pick<OAuthClient, 'type' | 'grantTypes' | 'redirectUris' | 'scopes'>;

/**
 * Refuses a client whose parts do not go together.
 * @throws AccountInputError OAUTH_CLIENT_INVALID
 */
export function requireUsable({ type, grantTypes, redirectUris, scopes }: Parts): void {
  for (const [index, uri] of redirectUris.entries()) {
    const fault = redirectUriFault(uri);
    if (fault !== undefined) refuse(`redirectUris[${index}]`, `The redirect URI ${fault}.`);
  }
  const unknown = scopes.findIndex((scope) => !isScopeToken(scope));
  if (unknown >= 0) refuse(`scopes[${unknown}]`, 'The scope is not <resource path>:<action>.');
  if (formatScope(scopes).length > MAX_SCOPE_CHARACTERS) {
    refuse('scopes', `All scopes together have more than ${MAX_SCOPE_CHARACTERS} characters.`);
  }
  requireGrantTypes(type, grantTypes, redirectUris.length > 0);
}

function requireGrantTypes(
  type: ClientType,
  grantTypes: readonly GrantType[],
  hasRedirectUri: boolean,
): void {
  const asksPeople = grantTypes.includes('authorization_code');
  if (asksPeople && !hasRedirectUri) {
    refuse('redirectUris', 'authorization_code needs an address that codes are sent to.');
  }
  if (grantTypes.includes('refresh_token') && !asksPeople) {
    refuse('grantTypes', 'refresh_token carries on what authorization_code began.');
  }
  if (grantTypes.includes('client_credentials') && type === 'public') {
    refuse('grantTypes', 'client_credentials needs a secret, which a public client has not.');
  }
}

function refuse(field: string, message: string): never {
  throw new AccountInputError('OAUTH_CLIENT_INVALID', `body.${field}`, message);
}
