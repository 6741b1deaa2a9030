import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { expectProblem } from '../auth/expect-problem.js';
import { startTestApi, type TestApi } from '../support/app.js';
import { makeClient, type MadeClient, REDIRECT_URI } from './oauth-harness.js';

const LIMIT = 5;
/** A client that asks people, and has no account of its own. */
const ASKING = { grantTypes: ['authorization_code'], roles: [] };

let api: TestApi;
let administrator: string;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_OAUTH_CLIENTS_PER_ORGANIZATION: String(LIMIT) });
  administrator = await api.login();
});
afterAll(() => api.close());

const send = (method: string, path: string, token: string, body?: unknown) =>
  api.request(method, `/v1/auth/clients${path}`, { token, ...(body !== undefined && { body }) });

describe('a client of all organizations', () => {
  let clerk: string;
  let shared: MadeClient;

  /** Somebody of the administrator's organization who may manage clients, and nothing else. */
  beforeAll(async () => {
    const account = { email: 'clerk@test.example', password: 'a password of a clerk' };
    await api.request('POST', '/v1/auth/roles', {
      token: administrator,
      body: { name: 'clerk', grants: [{ resource: 'auth:clients', action: '*' }] },
    });
    await api.request('POST', '/v1/auth/users', {
      token: administrator,
      body: { ...account, roles: ['clerk'] },
    });
    clerk = await api.login(account);
    shared = await makeClient(api, administrator, { ...ASKING, shared: true });
  });

  it.each([
    ['PATCH', '', { redirectUris: ['https://attacker.example/'], scopes: ['*:*'] }],
    ['PATCH', '', { shared: false }],
    ['POST', '/secret', {}],
    ['DELETE', '', undefined],
  ])('is left alone by those who may manage but not share clients: %s %s', async (...request) => {
    const [method, path, body] = request;
    const refused = await send(method, `/${shared.id}${path}`, clerk, body);
    expectProblem(refused, 403, 'AUTH_PERMISSION_DENIED');
    const { body: shown } = await send('GET', `/${shared.id}`, administrator);
    expect(shown).toMatchObject({ redirectUris: [REDIRECT_URI], shared: true });
  });

  it('is not made of one of the organization by them', async () => {
    const own = await makeClient(api, clerk, ASKING);
    const refused = await send('PATCH', `/${own.id}`, clerk, { shared: true });
    expectProblem(refused, 403, 'AUTH_PERMISSION_DENIED');
    expect(await send('PATCH', `/${own.id}`, clerk, { name: 'Ours' })).toMatchObject({
      status: 200,
    });
  });

  it('is changed by those who may share it', async () => {
    const renamed = await send('PATCH', `/${shared.id}`, administrator, { name: 'Everybody’s' });
    expect(renamed).toMatchObject({ status: 200, body: { name: 'Everybody’s', shared: true } });
    const own = await send('PATCH', `/${shared.id}`, administrator, { shared: false });
    expect(own.body.shared).toBe(false);
  });
});

describe('the clients of an organization', () => {
  it('are no more than it may have, also when many are made at once', async () => {
    const owner = await api.register('owner@test.example');
    const answers = await Promise.all(
      Array.from({ length: 2 * LIMIT }, () =>
        send('POST', '', owner, {
          name: 'One of many',
          type: 'public',
          grantTypes: ['authorization_code'],
          redirectUris: [REDIRECT_URI],
          scopes: ['source:read'],
        }),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([
      ...Array.from({ length: LIMIT }, () => 201),
      ...Array.from({ length: LIMIT }, () => 409),
    ]);
  });
});
