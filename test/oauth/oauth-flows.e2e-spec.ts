import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createRemoteJWKSet, customFetch as joseFetch, jwtVerify } from 'jose';
import * as oauth from 'oauth4webapi';
import { ADMINISTRATOR, startTestApi, type TestApi } from '../support/app.js';
import {
  authorizationRequest,
  Browser,
  discover,
  ISSUER,
  makeClient,
  type MadeClient,
  reaching,
  REDIRECT_URI,
} from './oauth-harness.js';

let api: TestApi;
let administrator: string;
let server: oauth.AuthorizationServer;
let confidential: MadeClient;
let open: MadeClient;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_AUTH_ISSUER: ISSUER });
  administrator = await api.login();
  server = await discover(api);
  confidential = await makeClient(api, administrator);
  open = await makeClient(api, administrator, {
    name: 'App <of> "somebody"',
    type: 'public',
    grantTypes: ['authorization_code', 'refresh_token'],
  });
});

afterAll(() => api.close());

const clientOf = ({ id }: MadeClient): oauth.Client => ({ client_id: id });
const secretOf = ({ secret }: MadeClient): string => secret ?? '';
const methodsOf = (client: MadeClient): oauth.ClientAuth =>
  client.secret === null ? oauth.None() : oauth.ClientSecretBasic(client.secret);

/** The whole of RFC 6749, section 4.1, by the library. */
async function authorize(made: MadeClient, scope?: string): Promise<oauth.TokenEndpointResponse> {
  const client = clientOf(made);
  const verifier = oauth.generateRandomCodeVerifier();
  const state = oauth.generateRandomState();
  const url = new URL(server.authorization_endpoint ?? '');
  const parameters = authorizationRequest(made, {
    code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
    state,
    scope,
  });
  for (const [name, value] of Object.entries(parameters)) {
    if (value !== undefined) url.searchParams.set(name, value);
  }
  const browser = new Browser(api);
  const page = await browser.openUrl(url);
  expect(page.status).toBe(200);
  const { location, status } = await browser.allow(page, ADMINISTRATOR);
  expect(status).toBe(303);
  // Checks the state, and that the answer is from the server that was asked (RFC 9207).
  const answer = oauth.validateAuthResponse(server, client, location ?? new URL(ISSUER), state);
  const response = await oauth.authorizationCodeGrantRequest(
    server,
    client,
    methodsOf(made),
    answer,
    REDIRECT_URI,
    verifier,
    reaching(api),
  );
  return oauth.processAuthorizationCodeResponse(server, client, response);
}

async function introspect(token: string): Promise<oauth.IntrospectionResponse> {
  const client = clientOf(confidential);
  const response = await oauth.introspectionRequest(
    server,
    client,
    oauth.ClientSecretBasic(secretOf(confidential)),
    token,
    reaching(api),
  );
  return oauth.processIntrospectionResponse(server, client, response);
}

async function revoke(made: MadeClient, token: string): Promise<void> {
  const response = await oauth.revocationRequest(
    server,
    clientOf(made),
    methodsOf(made),
    token,
    reaching(api),
  );
  await oauth.processRevocationResponse(response);
}

const me = (token: string) => api.request('GET', '/v1/auth/me', { token });

describe('the metadata of the authorization server', () => {
  it('names what is there, under the issuer, and may be kept', async () => {
    const answer = await api.request('GET', '/.well-known/oauth-authorization-server');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    expect(server).toMatchObject({
      issuer: ISSUER,
      code_challenge_methods_supported: ['S256'],
      response_types_supported: ['code'],
      authorization_response_iss_parameter_supported: true,
    });
    const document = (await api.request('GET', '/docs/openapi.json')).body;
    const endpoints = Object.entries(server).filter(([name]) => /_endpoint$|_uri$/.test(name));
    expect(endpoints).toHaveLength(5);
    for (const [, url] of endpoints) {
      expect(Object.keys(document.paths)).toContain((url as string).replace(ISSUER, ''));
    }
  });

  it('publishes the public keys alone, by which others verify access tokens', async () => {
    const answer = await api.request('GET', '/.well-known/jwks.json');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=300');
    for (const key of answer.body.keys) {
      expect(Object.keys(key).sort()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
    }
    const keys = createRemoteJWKSet(new URL(server.jwks_uri ?? ''), {
      [joseFetch]: (url, init) => fetch(url.replace(ISSUER, api.url), init),
    });
    const { access_token: token } = await authorize(open);
    const { payload, protectedHeader } = await jwtVerify(token, keys, {
      issuer: ISSUER,
      audience: 'pantheon-api',
      typ: 'at+jwt',
      algorithms: ['ES256'],
    });
    expect(protectedHeader.alg).toBe('ES256');
    // RFC 9068, section 2.2.
    expect(payload).toMatchObject({
      client_id: open.id,
      scope: 'source:*:read source:read context:compile',
      jti: expect.any(String),
    });
    // And as the library verifies it, for a resource server.
    const request = new Request(`${ISSUER}/v1/sources`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await expect(
      oauth.validateJwtAccessToken(server, request, 'pantheon-api', reaching(api)),
    ).resolves.toMatchObject({ client_id: open.id });
  });
});

describe('the authorization code', () => {
  it('gives a public client tokens that are limited to the scope', async () => {
    const tokens = await authorize(open, 'source:read');
    expect(tokens).toMatchObject({ token_type: 'bearer', expires_in: 900, scope: 'source:read' });
    const token = tokens.access_token;
    expect((await me(token)).body).toMatchObject({ email: ADMINISTRATOR.email });
    expect((await api.request('GET', '/v1/sources', { token })).status).toBe(200);
    // The person is an administrator; the token is not.
    const others = await api.request('GET', '/v1/auth/users', { token });
    expect([others.status, others.body.code]).toEqual([403, 'AUTH_PERMISSION_DENIED']);
  });

  it('gives a confidential client tokens, too, by a secret in the form as well', async () => {
    const tokens = await authorize(confidential);
    expect((await introspect(tokens.access_token)).active).toBe(true);
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      clientOf(confidential),
      oauth.ClientSecretPost(secretOf(confidential)),
      {},
      reaching(api),
    );
    expect(response.status).toBe(200);
  });

  it('lets a token make no credentials that would outlive it', async () => {
    const { access_token: token } = await authorize(confidential);
    const answer = await api.request('POST', '/v1/auth/api-keys', {
      token,
      body: { name: 'escape', scope: [{ resource: 'source', action: 'read' }] },
    });
    expect([answer.status, answer.body.code]).toEqual([403, 'AUTH_SESSION_REQUIRED']);
  });
});

describe('a client that knows several servers', () => {
  it('cannot be given an answer, metadata or a token of ours as those of another', async () => {
    const other = { ...server, issuer: 'https://other.test.example' };
    const browser = new Browser(api);
    const page = await browser.open(authorizationRequest(open, { state: 's' }));
    const { location = new URL(ISSUER) } = await browser.allow(page, ADMINISTRATOR);
    expect(() => oauth.validateAuthResponse(other, clientOf(open), location, 's')).toThrow(/iss/);
    expect(oauth.validateAuthResponse(server, clientOf(open), location, 's').get('iss')).toBe(
      ISSUER,
    );
    const metadata = await fetch(`${api.url}/.well-known/oauth-authorization-server`);
    await expect(
      oauth.processDiscoveryResponse(new URL(other.issuer), metadata),
    ).rejects.toMatchObject({ code: oauth.JSON_ATTRIBUTE_COMPARISON });
    const { access_token: token } = await authorize(open);
    const request = new Request(`${other.issuer}/`, {
      headers: { authorization: `Bearer ${token}` },
    });
    await expect(
      oauth.validateJwtAccessToken(other, request, 'pantheon-api', reaching(api)),
    ).rejects.toThrow();
  });
});

describe('the refresh token of a client', () => {
  async function refresh(made: MadeClient, token: string, scope?: string) {
    const client = clientOf(made);
    const response = await oauth.refreshTokenGrantRequest(server, client, methodsOf(made), token, {
      ...reaching(api),
      ...(scope && { additionalParameters: { scope } }),
    });
    return oauth.processRefreshTokenResponse(server, client, response);
  }

  it('is exchanged for its successor, and keeps the scope', async () => {
    const first = await authorize(open, 'source:read');
    const second = await refresh(open, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.scope).toBe('source:read');
    expect((await me(second.access_token)).status).toBe(200);
    await expect(refresh(open, second.refresh_token ?? '', 'source:read')).resolves.toBeDefined();
  });

  it('is good for one use; later the second use ends the session', async () => {
    const first = await authorize(open);
    const old = first.refresh_token ?? '';
    const second = await refresh(open, old);
    await expect(refresh(open, old)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await me(second.access_token)).status).toBe(200);
    api.clock.advance(11_000);
    await expect(refresh(open, old)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await me(second.access_token)).status).toBe(401);
    await expect(refresh(open, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('is worth nothing to another client, nor where log-ins are refreshed', async () => {
    const { refresh_token: token = '' } = await authorize(open);
    await expect(refresh(confidential, token)).rejects.toMatchObject({ error: 'invalid_grant' });
    const body = { refreshToken: token };
    const answer = await api.request('POST', '/v1/auth/refresh', { body });
    expect([answer.status, answer.body.code]).toEqual([401, 'AUTH_REFRESH_TOKEN_INVALID']);
    await expect(refresh(open, token)).resolves.toBeDefined();
  });

  it('gives no more scope than there was, nor less', async () => {
    const { refresh_token: token = '' } = await authorize(open, 'source:read');
    for (const scope of ['source:read source:*:read', '*:*', 'context:compile']) {
      await expect(refresh(open, token, scope)).rejects.toMatchObject({ error: 'invalid_scope' });
    }
    await expect(refresh(open, token)).resolves.toMatchObject({ scope: 'source:read' });
  });
});

describe('client credentials', () => {
  async function serve(made: MadeClient, scope?: string): Promise<oauth.TokenEndpointResponse> {
    const client = clientOf(made);
    const response = await oauth.clientCredentialsGrantRequest(
      server,
      client,
      oauth.ClientSecretBasic(secretOf(made)),
      scope === undefined ? {} : { scope },
      reaching(api),
    );
    return oauth.processClientCredentialsResponse(server, client, response);
  }

  it('let a service act by an account of its own, without a refresh token', async () => {
    const tokens = await serve(confidential);
    expect(tokens.refresh_token).toBeUndefined();
    const who = await me(tokens.access_token);
    expect(who.body).toMatchObject({ id: confidential.serviceUserId, roles: ['member'] });
    const { access_token: token } = tokens;
    expect((await api.request('GET', '/v1/sources', { token })).status).toBe(200);
    // The role allows it, the scope does not.
    const body = { name: 'made-by-a-service', kind: 'document' };
    expect((await api.request('POST', '/v1/sources', { token, body })).status).toBe(403);
  });

  it('narrow the scope when a narrower one is asked for', async () => {
    const tokens = await serve(confidential, 'source:notes:read');
    expect(tokens.scope).toBe('source:notes:read');
    await expect(serve(confidential, 'source:*:write')).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  it('give nobody a way to log in as the service', async () => {
    const users = await api.request('GET', '/v1/auth/users?limit=1000', { token: administrator });
    const service = users.body.items.find(
      (user: { id: string }) => user.id === confidential.serviceUserId,
    );
    expect(service.kind).toBe('service');
    const reset = await api.request('POST', `/v1/auth/users/${service.id}/password-reset`, {
      token: administrator,
    });
    expect([reset.status, reset.body.code]).toEqual([409, 'AUTH_SERVICE_ACCOUNT']);
    for (const password of ['', ' ', 'x', 'null', secretOf(confidential)]) {
      const body = { email: service.email, password: password || ' ' };
      expect((await api.request('POST', '/v1/auth/login', { body })).status).toBe(401);
    }
  });

  it('end with the account: a disabled service is refused at once', async () => {
    const made = await makeClient(api, administrator, { name: 'Other service' });
    const { access_token: token } = await serve(made);
    expect((await me(token)).status).toBe(200);
    await api.request('PATCH', `/v1/auth/users/${made.serviceUserId}`, {
      token: administrator,
      body: { disabled: true },
    });
    expect((await me(token)).status).toBe(401);
    await expect(serve(made)).rejects.toMatchObject({ error: 'unauthorized_client' });
  });
});

describe('revocation and introspection', () => {
  it('end a session by either of its tokens, at once', async () => {
    for (const name of ['access_token', 'refresh_token'] as const) {
      const tokens = await authorize(open);
      expect(await introspect(tokens.access_token)).toMatchObject({
        active: true,
        client_id: open.id,
        username: ADMINISTRATOR.email,
        iss: ISSUER,
        token_type: 'Bearer',
      });
      expect((await introspect(tokens.refresh_token ?? '')).active).toBe(true);
      await revoke(open, tokens[name] ?? '');
      expect((await me(tokens.access_token)).status).toBe(401);
      expect(await introspect(tokens.access_token)).toEqual({ active: false });
      expect(await introspect(tokens.refresh_token ?? '')).toEqual({ active: false });
    }
  });

  it('say nothing of tokens that are not alive, and take their revocation', async () => {
    for (const token of ['nonsense', `por_${'x'.repeat(43)}`, 'a.b.c']) {
      expect(await introspect(token)).toEqual({ active: false });
      await expect(revoke(open, token)).resolves.toBeUndefined();
    }
  });

  it('leave the tokens of others alone', async () => {
    const { access_token: token } = await authorize(confidential);
    await expect(revoke(open, token)).rejects.toMatchObject({ error: 'unauthorized_client' });
    await expect(revoke(open, administrator)).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    expect((await me(token)).status).toBe(200);
    expect((await me(administrator)).status).toBe(200);
  });

  it('tell a client nothing of tokens of another organization', async () => {
    const stranger = await api.register('stranger@test.example');
    expect(await introspect(stranger)).toEqual({ active: false });
    expect((await introspect(administrator)).active).toBe(true);
  });
});
