import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ADMINISTRATOR, startTestApi, type TestApi } from '../support/app.js';
import {
  basic,
  exchange,
  ISSUER,
  makeClient,
  type MadeClient,
  obtainCode,
  postForm,
  REDIRECT_URI,
} from './oauth-harness.js';

let api: TestApi;
/** Another process on the same stores. */
let other: TestApi;
let administrator: string;
let owner: string;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_AUTH_ISSUER: ISSUER });
  other = await startTestApi({
    PANTHEON_AUTH_ISSUER: ISSUER,
    DATABASE_URL: api.platform.databaseUrl,
  });
  administrator = await api.login();
  owner = await api.register('owner@test.example');
});

afterAll(async () => {
  await other.close();
  await api.close();
});

const send = (method: string, path: string, body?: unknown, token = administrator) =>
  api.request(method, `/v1/auth/clients${path}`, { token, ...(body !== undefined && { body }) });

const serve = (made: MadeClient) =>
  postForm(api, '/oauth/token', { grant_type: 'client_credentials' }, basic(made));

const statusOf = async (instance: TestApi, token: string) =>
  (await instance.request('GET', '/v1/auth/me', { token })).status;

describe('the clients of an organization', () => {
  it('are made, listed, shown and changed, and their secrets shown once', async () => {
    const made = await makeClient(api, owner, { name: 'Mine', roles: ['member'] });
    expect(made.secret).toMatch(/^pcs_[\w-]{43}$/);
    const shown = await send('GET', `/${made.id}`, undefined, owner);
    expect(shown.body).toMatchObject({ id: made.id, name: 'Mine', disabled: false });
    expect(JSON.stringify(shown.body)).not.toContain('pcs_');
    const list = await send('GET', '', undefined, owner);
    expect(list.body.items.map(({ id }: MadeClient) => id)).toEqual([made.id]);
    const changed = await send('PATCH', `/${made.id}`, { name: 'Still mine' }, owner);
    expect(changed.body).toMatchObject({ name: 'Still mine', scopes: shown.body.scopes });
    const rows = await api.platform.dataSource.query('SELECT * FROM oauth_client');
    expect(JSON.stringify(rows)).not.toContain(made.secret);
  });

  it('show no secret to a retry', async () => {
    const headers = { 'idempotency-key': 'make-a-client' };
    const body = { name: 'Once', type: 'confidential', grantTypes: ['client_credentials'] };
    const request = { token: owner, headers, body: { ...body, scopes: ['source:read'] } };
    const first = await api.request('POST', '/v1/auth/clients', request);
    const second = await api.request('POST', '/v1/auth/clients', request);
    expect(first.body.secret).toMatch(/^pcs_/);
    expect(second.body).toEqual({ ...first.body, secret: null });
  });

  it('do not exist for other organizations', async () => {
    const made = await makeClient(api, administrator);
    for (const [method, path, body] of [
      ['GET', `/${made.id}`],
      ['PATCH', `/${made.id}`, { name: 'Taken' }],
      ['POST', `/${made.id}/secret`],
      ['DELETE', `/${made.id}`],
    ] as const) {
      const answer = await send(method, path, body, owner);
      expect([answer.status, answer.body.code]).toEqual([404, 'OAUTH_CLIENT_NOT_FOUND']);
    }
  });

  it('are for those who may manage them', async () => {
    const body = { email: 'member@test.example', password: 'a password of a member' };
    await api.request('POST', '/v1/auth/users', { token: owner, body });
    const member = await api.login(body);
    expect((await send('GET', '', undefined, member)).status).toBe(403);
  });

  it('may do nothing that whoever makes or changes them may not', async () => {
    const fields = { name: 'Climber', type: 'confidential', grantTypes: ['client_credentials'] };
    const climber = { ...fields, scopes: ['*:*'], roles: ['admin'] };
    const refused = await send('POST', '', climber, owner);
    expect([refused.status, refused.body.code]).toEqual([403, 'AUTH_GRANT_EXCEEDS_OWN']);
    const shared = { ...climber, roles: [], shared: true };
    expect((await send('POST', '', shared, owner)).status).toBe(403);
    // Who manages clients cannot take over the secret of one that may do more.
    const role = { name: 'clerk', grants: [{ resource: 'auth:clients', action: '*' }] };
    await api.request('POST', '/v1/auth/roles', { token: administrator, body: role });
    const account = { email: 'clerk@test.example', password: 'a password of a clerk' };
    await api.request('POST', '/v1/auth/users', {
      token: administrator,
      body: { ...account, roles: ['clerk'] },
    });
    const clerk = await api.login(account);
    const strong = await makeClient(api, administrator, { roles: ['admin'] });
    for (const [method, path, body] of [
      ['POST', `/${strong.id}/secret`],
      ['PATCH', `/${strong.id}`, { redirectUris: ['https://attacker.example/'] }],
      ['DELETE', `/${strong.id}`],
    ] as const) {
      const answer = await send(method, path, body, clerk);
      expect([answer.status, answer.body.code]).toEqual([403, 'AUTH_GRANT_EXCEEDS_OWN']);
    }
  });

  it.each([
    ['redirectUris', { redirectUris: [] }],
    ['redirectUris[0]', { redirectUris: ['http://app.test.example/'] }],
    ['redirectUris[0]', { redirectUris: ['javascript:alert(1)'] }],
    ['redirectUris[0]', { redirectUris: ['https://*.test.example/'] }],
    ['redirectUris[0]', { redirectUris: ['https://app.test.example/#x'] }],
    ['redirectUris[0]', { redirectUris: ['https://user@app.test.example/'] }],
    ['redirectUris[0]', { redirectUris: ['/callback'] }],
    ['redirectUris[0]', { redirectUris: ['data:text/html,x'] }],
    ['redirectUris[0]', { redirectUris: ['https:\\\\attacker.example'] }],
    ['scopes[0]', { scopes: ['everything'] }],
    ['scopes[1]', { scopes: ['source:read', 'source:read write'] }],
    ['grantTypes', { grantTypes: ['refresh_token', 'client_credentials'] }],
    ['grantTypes', { type: 'public' }],
    ['roles[0]', { roles: ['nobody'] }],
  ])('are refused when their parts do not fit: %s', async (path, fields) => {
    const whole = {
      name: 'Unfit',
      type: 'confidential',
      grantTypes: ['authorization_code', 'client_credentials'],
      redirectUris: [REDIRECT_URI],
      scopes: ['source:read'],
    };
    const answer = await send('POST', '', { ...whole, ...fields });
    expect(answer.status).toBe(400);
    expect(answer.body.errors[0].path).toBe(`body.${path}`);
  });

  it('may use addresses of apps and of this machine', async () => {
    const redirectUris = ['com.example.app:/callback', 'http://127.0.0.1:8123/cb'];
    const made = await makeClient(api, administrator, {
      type: 'public',
      grantTypes: ['authorization_code'],
      redirectUris,
    });
    const code = await obtainCode(api, made, ADMINISTRATOR, { redirect_uri: redirectUris[0] });
    expect(code).toMatch(/^poc_/);
  });
});

describe('the secret of a client', () => {
  it('is replaced with overlap, so that a service can take the new one over', async () => {
    const made = await makeClient(api, administrator);
    const { body } = await send('POST', `/${made.id}/secret`);
    expect(Date.parse(body.previousSecretExpiresAt)).toBeGreaterThan(Date.now());
    const renewed = { ...made, secret: body.secret };
    expect((await serve(made)).status).toBe(200);
    expect((await serve(renewed)).status).toBe(200);
    api.clock.advance(24 * 3_600_000 + 1);
    expect((await serve(made)).status).toBe(401);
    expect((await serve(renewed)).status).toBe(200);
    administrator = await api.login();
    owner = await api.login({
      email: 'owner@test.example',
      password: 'password of owner@test.example',
    });
  });

  it('ends at once when it was betrayed, with the sessions of the client', async () => {
    const made = await makeClient(api, administrator);
    const { body: tokens } = await serve(made);
    const { body } = await send('POST', `/${made.id}/secret`, { betrayed: true });
    expect(body.previousSecretExpiresAt).toBeNull();
    expect((await serve(made)).status).toBe(401);
    expect(await statusOf(api, tokens.access_token)).toBe(401);
  });
});

describe('the end of a client', () => {
  it.each([
    ['is disabled', 'PATCH', { disabled: true }],
    ['may do less', 'PATCH', { scopes: ['source:read'] }],
    ['is deleted', 'DELETE', undefined],
  ])('ends its tokens in every process when it %s', async (_, method, body) => {
    const made = await makeClient(api, administrator);
    const { body: service } = await serve(made);
    const { body: person } = await exchange(api, made, await obtainCode(api, made, ADMINISTRATOR));
    const tokens = [service.access_token, person.access_token];
    for (const token of tokens) {
      expect([await statusOf(api, token), await statusOf(other, token)]).toEqual([200, 200]);
    }
    expect((await send(method, `/${made.id}`, body)).status).toBe(method === 'DELETE' ? 204 : 200);
    for (const token of tokens) {
      expect([await statusOf(api, token), await statusOf(other, token)]).toEqual([401, 401]);
    }
  });

  it('leaves its account asleep, for what it has made', async () => {
    const made = await makeClient(api, administrator);
    await send('DELETE', `/${made.id}`);
    const { body } = await api.request('GET', '/v1/auth/users?limit=1000', {
      token: administrator,
    });
    const account = body.items.find(({ id }: { id: string }) => id === made.serviceUserId);
    expect(account.status).toBe('disabled');
    expect((await serve(made)).body.error).toBe('invalid_client');
  });
});

describe('what is done to clients', () => {
  it('stands in the audit log', async () => {
    const made = await makeClient(api, administrator);
    await send('PATCH', `/${made.id}`, { name: 'Renamed' });
    await send('POST', `/${made.id}/secret`);
    await send('DELETE', `/${made.id}`);
    const { body } = await api.request('GET', `/v1/audit/events?targetId=${made.id}`, {
      token: administrator,
    });
    const types = body.items.map(({ type }: { type: string }) => type);
    expect(types.toSorted()).toEqual([
      'oauth-client-changed',
      'oauth-client-created',
      'oauth-client-deleted',
      'oauth-client-secret-replaced',
    ]);
    expect(JSON.stringify(body)).not.toContain('pcs_');
  });
});

describe('the keys that sign tokens', () => {
  const rotate = (body?: unknown, token = administrator) =>
    api.request('POST', '/v1/auth/signing-keys/rotate', {
      token,
      ...(body !== undefined && { body }),
    });
  const published = async (instance: TestApi) => {
    const { body } = await instance.request('GET', '/.well-known/jwks.json');
    return body.keys.map(({ kid }: { kid: string }) => kid) as string[];
  };

  it('are rotated by those who run the platform alone', async () => {
    expect((await rotate(undefined, owner)).status).toBe(403);
  });

  it('are published by every process before they sign', async () => {
    const before = await published(api);
    const { body } = await rotate();
    expect(body.items.map(({ part }: { part: string }) => part)).toEqual(['next', 'signing']);
    const next = body.items[0].kid;
    expect(await published(api)).toEqual([next, ...before]);
    await until(async () => (await published(other)).includes(next));
    // Tokens of now are of the old key, and hold everywhere.
    expect(await statusOf(other, await api.login())).toBe(200);
  });

  it('end with every token that they signed, in every process, when they were betrayed', async () => {
    const token = await api.login();
    const login = await api.request('POST', '/v1/auth/login', { body: ADMINISTRATOR });
    expect([await statusOf(api, token), await statusOf(other, token)]).toEqual([200, 200]);
    const { body } = await rotate({ betrayed: true });
    expect(body.items).toHaveLength(1);
    expect(await statusOf(api, token)).toBe(401);
    await until(async () => (await statusOf(other, token)) === 401);
    // Refresh tokens are signed by no key: nobody has to log in again.
    const refreshed = await api.request('POST', '/v1/auth/refresh', {
      body: { refreshToken: login.body.refreshToken },
    });
    const { accessToken } = refreshed.body;
    expect(await statusOf(api, accessToken)).toBe(200);
    expect(await statusOf(other, accessToken)).toBe(200);
  });
});

/** A message to another process takes a moment. */
async function until(isTrue: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 5_000;
  while (!(await isTrue())) {
    if (Date.now() > deadline) throw new Error('It did not come about.');
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
  }
}
