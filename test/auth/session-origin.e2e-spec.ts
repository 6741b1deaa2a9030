import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { SessionActivity } from '../../libs/auth/src/sessions/session-activity.js';
import { basic, exchange, makeClient, obtainCode, postForm } from '../oauth/oauth-harness.js';
import { expectProblem } from './expect-problem.js';
import { startTestApi, type TestApi } from '../support/app.js';

const PASSWORD = 'a long enough password';

describe('where sessions come from', () => {
  let api: TestApi;
  let users = 0;

  beforeAll(async () => {
    api = await startTestApi();
  });
  afterAll(() => api.close());

  async function newUser(): Promise<string> {
    users += 1;
    const email = `origin-${users}@test.example`;
    const body = { email, password: PASSWORD };
    expect(await api.request('POST', '/v1/auth/register', { body })).toMatchObject({ status: 201 });
    return email;
  }

  async function login(email: string, headers: Record<string, string> = {}): Promise<string> {
    const body = { email, password: PASSWORD };
    const answer = await api.request('POST', '/v1/auth/login', { body, headers });
    expect(answer.status).toBe(200);
    return answer.body.accessToken;
  }

  it('is compared by what is kept of a long User-Agent', async () => {
    const headers = { 'user-agent': `Desktop ${'x'.repeat(300)}` };
    const email = await newUser();
    await login(email, headers);
    const token = await login(email, headers);
    await api.request('GET', '/v1/auth/me', { token, headers });
    await api.app.get(SessionActivity, { strict: false }).flush();
    const { body } = await api.request('GET', '/v1/auth/sessions', { token, headers });
    expect(body.items).toHaveLength(2);
    for (const { userAgent, anomalies } of body.items) {
      expect(userAgent).toBe(headers['user-agent'].slice(0, 256));
      expect(anomalies).toEqual([]);
    }
  });

  it('is shown with the client of OAuth 2.0, whose session is ended but not renewed', async () => {
    const email = await newUser();
    const token = await login(email);
    const client = await makeClient(api, token);
    const code = await obtainCode(api, client, { email, password: PASSWORD });
    const { refresh_token, scope } = (await exchange(api, client, code)).body;
    const list = () => api.request('GET', '/v1/auth/sessions', { token });
    const [own, ofClient] = (await list()).body.items;
    expect(own).toMatchObject({ clientId: null, scope: null, current: true });
    expect(ofClient).toMatchObject({ clientId: client.id, scope, idleTimeoutSeconds: null });
    for (const [method, what] of [
      ['GET', 'analytics'],
      ['GET', 'recommendations'],
      ['POST', 'renew'],
    ] as const) {
      const path = `/v1/auth/sessions/${ofClient.id}/${what}`;
      const answer = await api.request(method, path, { token });
      expectProblem(answer, 409, 'AUTH_SESSION_OF_CLIENT');
    }
    expect((await list()).body.items[1]).toMatchObject({ expiresAt: ofClient.expiresAt });
    const refreshed = await postForm(
      api,
      '/oauth/token',
      { grant_type: 'refresh_token', refresh_token },
      basic(client),
    );
    expect(refreshed.status).toBe(200);
    const ended = await api.request('DELETE', `/v1/auth/sessions/${ofClient.id}`, { token });
    expect(ended.status).toBe(204);
  });
});
