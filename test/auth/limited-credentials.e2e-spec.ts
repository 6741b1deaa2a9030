import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startTestApi, type TestApi } from '../support/app.js';
import { makeClient } from '../oauth/oauth-harness.js';
import { expectProblem } from './expect-problem.js';

const ACCOUNT = { email: 'user@test.example', password: 'a password of a user', roles: [] };
const NOBODY = '01900000-0000-7000-8000-000000000000';

let api: TestApi;
/** May do everything to the users and clients of an organization. */
let key: string;
let ids: Readonly<Record<string, string>>;

beforeAll(async () => {
  api = await startTestApi();
  const token = await api.register('owner@test.example');
  const scope = ['users', 'clients'].map((what) => ({ resource: `auth:${what}`, action: '*' }));
  const made = await api.request('POST', '/v1/auth/api-keys', {
    token,
    body: { name: 'robot', scope },
  });
  key = made.body.key;
  const user = await api.request('POST', '/v1/auth/users', { token, body: ACCOUNT });
  const client = await makeClient(api, token, { grantTypes: ['authorization_code'], roles: [] });
  ids = { user: user.body.id, client: client.id, nobody: NOBODY };
});
afterAll(() => api.close());

const withKey = (method: string, path: string, body?: unknown) =>
  api.request(
    method,
    path.replace(/\{(\w+)\}/, (_, name: string) => ids[name] ?? ''),
    {
      headers: { 'x-api-key': key },
      ...(body !== undefined && { body }),
    },
  );

describe('who has a stolen API key, though it may manage users and clients', () => {
  it.each([
    ['POST', '/v1/auth/api-keys', { name: 'heir', scope: [] }],
    ['POST', '/v1/auth/users', { ...ACCOUNT, email: 'heir@test.example' }],
    ['POST', '/v1/auth/users/{user}/password-reset', undefined],
    ['POST', '/v1/auth/password', { currentPassword: 'x', newPassword: ACCOUNT.password }],
    ['POST', '/v1/auth/clients', { name: 'heir' }],
    ['PATCH', '/v1/auth/clients/{client}', { redirectUris: ['https://attacker.example/'] }],
    ['POST', '/v1/auth/clients/{client}/secret', undefined],
    ['DELETE', '/v1/auth/users/{user}/sessions', undefined],
    ['DELETE', '/v1/auth/sessions', undefined],
    ['POST', '/v1/auth/sessions/{nobody}/renew', {}],
  ])('cannot make what outlives it, nor end sessions: %s %s', async (method, path, body) => {
    expectProblem(await withKey(method, path, body), 403, 'AUTH_SESSION_REQUIRED');
  });

  it('can take away what others have', async () => {
    const disabled = await withKey('PATCH', '/v1/auth/users/{user}', { disabled: true });
    expect(disabled).toMatchObject({ status: 200, body: { status: 'disabled' } });
    await expect(withKey('DELETE', '/v1/auth/clients/{client}')).resolves.toMatchObject({
      status: 204,
    });
  });
});
