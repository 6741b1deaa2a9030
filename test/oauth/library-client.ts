import { beforeAll, expect } from '@jest/globals';
import * as oauth from 'oauth4webapi';
import { ADMINISTRATOR, type TestApi } from '../support/app.js';
import {
  authorizationRequest,
  Browser,
  ISSUER,
  type MadeClient,
  REDIRECT_URI,
} from './oauth-harness.js';
import type { OAuthServer } from './oauth-server.js';

/** Clients as others build them: by a library, which checks what the standards have a client check. */
export interface LibraryClient {
  /** What the authorization server says of itself. */
  readonly metadata: oauth.AuthorizationServer;
  /** The whole of RFC 6749, section 4.1; the administrator allows it. */
  readonly authorize: (made: MadeClient, scope?: string) => Promise<oauth.TokenEndpointResponse>;
  /** Exchanges a refresh token. */
  readonly refresh: (
    made: MadeClient,
    token: string,
    scope?: string,
  ) => Promise<oauth.TokenEndpointResponse>;
  /** Obtains a token by client credentials. */
  readonly serve: (made: MadeClient, scope?: string) => Promise<oauth.TokenEndpointResponse>;
  /** What the confidential client is told of a token. */
  readonly introspect: (token: string) => Promise<oauth.IntrospectionResponse>;
  readonly revoke: (made: MadeClient, token: string) => Promise<void>;
}

export const clientOf = ({ id }: MadeClient): oauth.Client => ({ client_id: id });
export const secretOf = ({ secret }: MadeClient): string => secret ?? '';
const methodsOf = (client: MadeClient): oauth.ClientAuth =>
  client.secret === null ? oauth.None() : oauth.ClientSecretBasic(client.secret);

/** Options of the library that have it reach the API where it listens, by the address that it goes by. */
export function reaching(api: TestApi) {
  return {
    [oauth.customFetch]: (url: string, init: RequestInit) =>
      fetch(url.replace(ISSUER, api.url), init),
  } as unknown as { [oauth.customFetch]: typeof fetch };
}

/** Registers what has the library discover the server of a file. */
export function libraryClient(server: OAuthServer): LibraryClient {
  let metadata: oauth.AuthorizationServer;

  beforeAll(async () => {
    const issuer = new URL(ISSUER);
    const response = await oauth.discoveryRequest(issuer, {
      algorithm: 'oauth2',
      ...reaching(server.api),
    });
    metadata = await oauth.processDiscoveryResponse(issuer, response);
  });

  return {
    get metadata() {
      return metadata;
    },
    async authorize(made, scope) {
      const client = clientOf(made);
      const verifier = oauth.generateRandomCodeVerifier();
      const state = oauth.generateRandomState();
      const url = new URL(metadata.authorization_endpoint ?? '');
      const parameters = authorizationRequest(made, {
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        state,
        scope,
      });
      for (const [name, value] of Object.entries(parameters)) {
        if (value !== undefined) url.searchParams.set(name, value);
      }
      const browser = new Browser(server.api);
      const page = await browser.openUrl(url);
      expect(page.status).toBe(200);
      const { location, status } = await browser.allow(page, ADMINISTRATOR);
      expect(status).toBe(303);
      // Checks the state, and that the answer is from the server that was asked (RFC 9207).
      const answer = oauth.validateAuthResponse(
        metadata,
        client,
        location ?? new URL(ISSUER),
        state,
      );
      const response = await oauth.authorizationCodeGrantRequest(
        metadata,
        client,
        methodsOf(made),
        answer,
        REDIRECT_URI,
        verifier,
        reaching(server.api),
      );
      return oauth.processAuthorizationCodeResponse(metadata, client, response);
    },
    async refresh(made, token, scope) {
      const client = clientOf(made);
      const method = methodsOf(made);
      const response = await oauth.refreshTokenGrantRequest(metadata, client, method, token, {
        ...reaching(server.api),
        ...(scope && { additionalParameters: { scope } }),
      });
      return oauth.processRefreshTokenResponse(metadata, client, response);
    },
    async serve(made, scope) {
      const client = clientOf(made);
      const response = await oauth.clientCredentialsGrantRequest(
        metadata,
        client,
        oauth.ClientSecretBasic(secretOf(made)),
        scope === undefined ? {} : { scope },
        reaching(server.api),
      );
      return oauth.processClientCredentialsResponse(metadata, client, response);
    },
    async introspect(token) {
      const client = clientOf(server.service);
      const response = await oauth.introspectionRequest(
        metadata,
        client,
        oauth.ClientSecretBasic(secretOf(server.service)),
        token,
        reaching(server.api),
      );
      return oauth.processIntrospectionResponse(metadata, client, response);
    },
    async revoke(made, token) {
      const response = await oauth.revocationRequest(
        metadata,
        clientOf(made),
        methodsOf(made),
        token,
        reaching(server.api),
      );
      await oauth.processRevocationResponse(response);
    },
  };
}
