import { describe, expect, it } from '@jest/globals';
import { ADMINISTRATOR } from '../support/app.js';
import { libraryClient, secretOf } from './library-client.js';
import { ISSUER, makeClient } from './oauth-harness.js';
import { oauthServer } from './oauth-server.js';

const server = oauthServer();
const { me } = server;
const library = libraryClient(server);
const { authorize, introspect, refresh, revoke, serve } = library;

describe('the refresh token of a client', () => {
  it('is exchanged for its successor, and keeps the scope', async () => {
    const first = await authorize(server.app, 'source:read');
    const second = await refresh(server.app, first.refresh_token ?? '');
    expect(second.refresh_token).not.toBe(first.refresh_token);
    expect(second.scope).toBe('source:read');
    expect((await me(second.access_token)).status).toBe(200);
    await expect(
      refresh(server.app, second.refresh_token ?? '', 'source:read'),
    ).resolves.toBeDefined();
  });

  it('is good for one use; later the second use ends the session', async () => {
    const first = await authorize(server.app);
    const old = first.refresh_token ?? '';
    const second = await refresh(server.app, old);
    await expect(refresh(server.app, old)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await me(second.access_token)).status).toBe(200);
    server.api.clock.advance(11_000);
    await expect(refresh(server.app, old)).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await me(second.access_token)).status).toBe(401);
    await expect(refresh(server.app, second.refresh_token ?? '')).rejects.toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('is worth nothing to another client, nor where log-ins are refreshed', async () => {
    const { refresh_token: token = '' } = await authorize(server.app);
    await expect(refresh(server.service, token)).rejects.toMatchObject({ error: 'invalid_grant' });
    const body = { refreshToken: token };
    const answer = await server.api.request('POST', '/v1/auth/refresh', { body });
    expect([answer.status, answer.body.code]).toEqual([401, 'AUTH_REFRESH_TOKEN_INVALID']);
    await expect(refresh(server.app, token)).resolves.toBeDefined();
  });

  it('gives no more scope than there was, nor less', async () => {
    const { refresh_token: token = '' } = await authorize(server.app, 'source:read');
    for (const scope of ['source:read source:*:read', '*:*', 'context:compile']) {
      await expect(refresh(server.app, token, scope)).rejects.toMatchObject({
        error: 'invalid_scope',
      });
    }
    await expect(refresh(server.app, token)).resolves.toMatchObject({ scope: 'source:read' });
  });
});

describe('client credentials', () => {
  it('let a service act by an account of its own, without a refresh token', async () => {
    const tokens = await serve(server.service);
    expect(tokens.refresh_token).toBeUndefined();
    const who = await me(tokens.access_token);
    expect(who.body).toMatchObject({ id: server.service.serviceUserId, roles: ['member'] });
    const { access_token: token } = tokens;
    expect((await server.api.request('GET', '/v1/sources', { token })).status).toBe(200);
    // The role allows it, the scope does not.
    const body = { name: 'made-by-a-service', kind: 'document' };
    expect((await server.api.request('POST', '/v1/sources', { token, body })).status).toBe(403);
  });

  it('narrow the scope when a narrower one is asked for', async () => {
    const tokens = await serve(server.service, 'source:notes:read');
    expect(tokens.scope).toBe('source:notes:read');
    await expect(serve(server.service, 'source:*:write')).rejects.toMatchObject({
      error: 'invalid_scope',
    });
  });

  it('give nobody a way to log in as the service', async () => {
    const users = await server.api.request('GET', '/v1/auth/users?limit=1000', {
      token: server.administrator,
    });
    const service = users.body.items.find(
      (user: { id: string }) => user.id === server.service.serviceUserId,
    );
    expect(service.kind).toBe('service');
    const reset = await server.api.request('POST', `/v1/auth/users/${service.id}/password-reset`, {
      token: server.administrator,
    });
    expect([reset.status, reset.body.code]).toEqual([409, 'AUTH_SERVICE_ACCOUNT']);
    for (const password of ['', ' ', 'x', 'null', secretOf(server.service)]) {
      const body = { email: service.email, password: password || ' ' };
      expect((await server.api.request('POST', '/v1/auth/login', { body })).status).toBe(401);
    }
  });

  it('end with the account: a disabled service is refused at once', async () => {
    const made = await makeClient(server.api, server.administrator, { name: 'Other service' });
    const { access_token: token } = await serve(made);
    expect((await me(token)).status).toBe(200);
    await server.api.request('PATCH', `/v1/auth/users/${made.serviceUserId}`, {
      token: server.administrator,
      body: { disabled: true },
    });
    expect((await me(token)).status).toBe(401);
    await expect(serve(made)).rejects.toMatchObject({ error: 'unauthorized_client' });
  });
});

describe('revocation and introspection', () => {
  it('end a session by either of its tokens, at once', async () => {
    for (const name of ['access_token', 'refresh_token'] as const) {
      const tokens = await authorize(server.app);
      expect(await introspect(tokens.access_token)).toMatchObject({
        active: true,
        client_id: server.app.id,
        username: ADMINISTRATOR.email,
        iss: ISSUER,
        token_type: 'Bearer',
      });
      expect((await introspect(tokens.refresh_token ?? '')).active).toBe(true);
      await revoke(server.app, tokens[name] ?? '');
      expect((await me(tokens.access_token)).status).toBe(401);
      expect(await introspect(tokens.access_token)).toEqual({ active: false });
      expect(await introspect(tokens.refresh_token ?? '')).toEqual({ active: false });
    }
  });

  it('say nothing of tokens that are not alive, and take their revocation', async () => {
    for (const token of ['nonsense', `por_${'x'.repeat(43)}`, 'a.b.c']) {
      expect(await introspect(token)).toEqual({ active: false });
      await expect(revoke(server.app, token)).resolves.toBeUndefined();
    }
  });

  it('leave the tokens of others alone', async () => {
    const { access_token: token } = await authorize(server.service);
    await expect(revoke(server.app, token)).rejects.toMatchObject({ error: 'unauthorized_client' });
    await expect(revoke(server.app, server.administrator)).rejects.toMatchObject({
      error: 'unauthorized_client',
    });
    expect((await me(token)).status).toBe(200);
    expect((await me(server.administrator)).status).toBe(200);
  });

  it('tell a client nothing of tokens of another organization', async () => {
    const stranger = await server.api.register('stranger@test.example');
    expect(await introspect(stranger)).toEqual({ active: false });
    expect((await introspect(server.administrator)).active).toBe(true);
  });
});
