import { describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { ADMINISTRATOR } from '../support/app.js';
import { clientOf, libraryClient, reaching, secretOf } from './library-client.js';
import { authorizationRequest, Browser, ISSUER } from './oauth-harness.js';
import { oauthServer } from './oauth-server.js';

const server = oauthServer();
const { me } = server;
const library = libraryClient(server);
const { authorize, introspect } = library;

describe('the metadata of the authorization server', () => {
  it('names what is there, under the issuer, and may be kept', async () => {
    const answer = await server.api.request('GET', '/.well-known/oauth-authorization-server');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(library.metadata).toMatchObject({
      issuer: ISSUER,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
    });
    const document = (await server.api.request('GET', '/docs/openapi.json')).body;
    const endpoints = Object.entries(library.metadata).filter(([name]) =>
      /_endpoint$|_uri$/.test(name),
    );
    expect(endpoints).toHaveLength(5);
    for (const [, url] of endpoints) {
      expect(Object.keys(document.paths)).toContain((url as string).replace(ISSUER, ''));
    }
  });

  it('publishes the public keys alone, by which others verify access tokens', async () => {
    const answer = await server.api.request('GET', '/.well-known/jwks.json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    for (const key of answer.body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
    const keys = createRemoteJWKSet(new URL(library.metadata.jwks_uri ?? ''), {
      [joseFetch]: (url, init) => fetch(url.replace(ISSUER, server.api.url), init),
    });
    const { access_token: token } = await authorize(server.app);
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: 'pantheon-api',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(protectedHeader.alg).toBe('ES256');
    // RFC 9068, section 2.2.
    expect(payload).toMatchObject({
      client_id: server.app.id,
      scope: 'source:*:read source:read context:compile',
      jti: expect.any(String),
    });
    // And as the library verifies it, for a resource server.
    const request = new Request(`${ISSUER}/v1/sources`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await expect(
      oauth.validateJwtAccessToken(library.metadata, request, 'pantheon-api', reaching(server.api)),
    ).resolves.toMatchObject({ client_id: server.app.id });
  });
});

describe('the authorization code', () => {
  it('gives a public client tokens that are limited to the scope', async () => {
    const tokens = await authorize(server.app, 'source:read');
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'source:read' });
    const token = tokens.access_token;
    expect((await me(token)).body).toMatchObject({ email: ADMINISTRATOR.email });
    expect((await server.api.request('GET', '/v1/sources', { token })).status).toBe(200);
    // The person is an administrator; the token is not.
    const others = await server.api.request('GET', '/v1/auth/users', { token });
    expect([others.status, others.body.code]).toEqual([403, 'AUTH_PERMISSION_DENIED']);
  });

  it('gives a confidential client tokens, too, by a secret in the form as well', async () => {
    const tokens = await authorize(server.service);
    expect((await introspect(tokens.access_token)).active).toBe(true);
    const response = await oauth.clientCredentialsGrantRequest(
      library.metadata,
      clientOf(server.service),
      oauth.ClientSecretPost(secretOf(server.service)),
      {},
      reaching(server.api),
    );
    expect(response.status).toBe(200);
  });

  it('lets a token make no credentials that would outlive it', async () => {
    const { access_token: token } = await authorize(server.service);
    const answer = await server.api.request('POST', '/v1/auth/api-keys', {
      token,
      body: { name: 'escape', scope: [{ resource: 'source', action: 'read' }] },
    });
    expect([answer.status, answer.body.code]).toEqual([403, 'AUTH_SESSION_REQUIRED']);
  });
});

describe('a client that knows several servers', () => {
  it('cannot be given an answer, metadata or a token of ours as those of another', async () => {
    const other = { ...library.metadata, issuer: 'https://other.test.example' };
    const browser = new Browser(server.api);
    const page = await browser.open(authorizationRequest(server.app, { state: 's' }));
    const { location = new URL(ISSUER) } = await browser.allow(page, ADMINISTRATOR);
    expect(() => oauth.validateAuthResponse(other, clientOf(server.app), location, 's')).toThrow(
      /iss/,
    );
    expect(
      oauth.validateAuthResponse(library.metadata, clientOf(server.app), location, 's').get('iss'),
    ).toBe(ISSUER);
    const metadata = await fetch(`${server.api.url}/.well-known/oauth-authorization-server`);
    await expect(
      oauth.processDiscoveryResponse(new URL(other.issuer), metadata),
    ).rejects.toMatchObject({ code: oauth.JSON_ATTRIBUTE_COMPARISON });
    const { access_token: token } = await authorize(server.app);
    const request = new Request(`${other.issuer}/`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await expect(
      oauth.validateJwtAccessToken(other, request, 'pantheon-api', reaching(server.api)),
    ).rejects.toThrow();
  });
});
