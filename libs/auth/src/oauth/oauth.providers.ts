import { Authorization } from './authorization.js';
import { AuthorizationCodeStore } from './authorization-code.store.js';
import { ClientAuthentication } from './client-authentication.js';
import { ClientSessionStore } from './client-session.store.js';
import { Consent } from './consent.js';
import { OAuthClientStore } from './oauth-client.store.js';
import { OAuthClients } from './oauth-clients.service.js';
import { TokenEndpoint } from './token-endpoint.js';
import { TokenInspection } from './token-inspection.js';

/** The authorization server. */
export const oauthProviders = [
  Authorization,
  AuthorizationCodeStore,
  ClientAuthentication,
  ClientSessionStore,
  Consent,
  OAuthClientStore,
  OAuthClients,
  TokenEndpoint,
  TokenInspection,
];
