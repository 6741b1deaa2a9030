import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { exchange, ISSUER, makeClient, obtainCode } from '../oauth/oauth-harness.js';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const PASSWORD = 'a long enough password';
const MINUTE_MS = 60_000;

let api: TestApi;

beforeAll(async () => {
  api = await startTestApi({ PANTHEON_HTTP_TRUST_PROXY: 'true', PANTHEON_AUTH_ISSUER: ISSUER });
});
afterAll(() => api.close());

function logIn(
  email: string,
  password: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<TestAnswer> {
  return api.request('POST', '/v1/auth/login', { body: { email, password }, headers });
}

describe('credentials', () => {
  it('are not taken from an address', async () => {
    const token = await api.register('url@example.com');
    for (const name of ['access_token', 'token', 'authorization', 'api_key', 'x-api-key']) {
      const answer = await api.request('GET', `/v1/auth/me?${name}=${token}`);
      expect([name, answer.status, answer.body.code]).toEqual([name, 401, 'AUTH_TOKEN_MISSING']);
    }
  });

  it('are new at each log-in, and nobody can bring a session of their own', async () => {
    await api.register('fresh@example.com');
    const own = { cookie: 'sid=fixed; session=fixed', 'x-session-id': 'fixed' };
    const first = await logIn('fresh@example.com', 'password of fresh@example.com', own);
    const second = await logIn('fresh@example.com', 'password of fresh@example.com', own);
    const sessions = [first, second].map(({ body }) => {
      const [, payload = ''] = String(body.accessToken).split('.');
      return String(JSON.parse(Buffer.from(payload, 'base64url').toString()).sid);
    });
    expect(new Set([...sessions, 'fixed']).size).toBe(3);
    expect(first.body.refreshToken).not.toBe(second.body.refreshToken);
    expect([first, second].map(({ headers }) => headers.get('set-cookie'))).toEqual([null, null]);
  });
});

describe('guesses at one account', () => {
  it('are at most 100 in an hour, from however many addresses', async () => {
    const email = 'victim@example.com';
    await api.register(email);
    let tried = 0;
    for (let minute = 0; minute < 60; minute += 1) {
      for (let guess = 0; guess < 2; guess += 1) {
        const address = `198.51.${minute}.${guess}`;
        const answer = await logIn(email, 'a wrong password', { 'x-forwarded-for': address });
        expect([401, 429]).toContain(answer.status);
        if (answer.status === 401) tried += 1;
      }
      api.clock.advance(MINUTE_MS);
    }
    expect(tried).toBeLessThanOrEqual(100);
    expect(tried).toBeGreaterThanOrEqual(60);
    api.clock.advance(15 * MINUTE_MS);
    expect((await logIn(email, `password of ${email}`)).status).toBe(200);
  });
});

describe('a fault while somebody is identified', () => {
  it.each([
    ['user_session', 'a session'],
    ['permission_grant', 'permissions'],
    ['api_key_version', 'an API key'],
  ])('lets nobody in: %s cannot be read', async (table) => {
    const email = `${table}@example.com`;
    const token = await api.register(email);
    const { body } = await api.request('POST', '/v1/auth/api-keys', {
      token,
      body: { name: 'robot', scope: [{ resource: 'source', action: 'create' }] },
    });
    const bearer =
      table === 'api_key_version'
        ? String(body.key)
        : await api.login({ email, password: `password of ${email}` });
    await api.platform.dataSource.query(`ALTER TABLE ${table} RENAME TO elsewhere`);
    try {
      const source = { name: `made-${table}`, kind: 'document' };
      const answer = await api.request('POST', '/v1/sources', { token: bearer, body: source });
      expect(answer.status).toBe(500);
    } finally {
      await api.platform.dataSource.query(`ALTER TABLE elsewhere RENAME TO ${table}`);
    }
    const { body: sources } = await api.request('GET', '/v1/sources', { token });
    expect(sources.items).toEqual([]);
  });
});

describe('a token that sets a password', () => {
  it('has 256 bits, is another one each time, and is stored as a hash', async () => {
    const administrator = await api.login();
    const { id } = await makeColleague(administrator, 'forgetful@example.com');
    const issue = async (): Promise<string> => {
      const path = `/v1/auth/users/${id}/password-reset`;
      const { status, body } = await api.request('POST', path, { token: administrator });
      expect(status).toBe(201);
      return body.token;
    };
    const [first, second] = [await issue(), await issue()];
    for (const token of [first, second]) expect(token).toMatch(/^[a-z]+_[A-Za-z0-9_-]{43}$/);
    expect(first).not.toBe(second);
    const rows = await api.platform.dataSource.query(
      `SELECT row_to_json(t)::text AS row FROM password_reset t WHERE user_id = $1`,
      [id],
    );
    expect(rows).toHaveLength(1);
    expect(JSON.stringify(rows)).not.toContain(second.slice(-20));
  });
});

async function makeColleague(administrator: string, email: string): Promise<{ id: string }> {
  const made = await api.request('POST', '/v1/auth/users', {
    token: administrator,
    body: { email, password: PASSWORD },
  });
  expect(made.status).toBe(201);
  return made.body;
}

describe('a client that somebody has allowed to act for them', () => {
  /** Asks who a client acts for, that somebody has just allowed to. */
  async function allowedClient(email: string): Promise<() => Promise<TestAnswer>> {
    const administrator = await api.login();
    await makeColleague(administrator, email);
    const app = await makeClient(api, administrator, {
      type: 'public',
      grantTypes: ['authorization_code', 'refresh_token'],
    });
    const code = await obtainCode(api, app, { email, password: PASSWORD });
    const { body } = await exchange(api, app, code);
    const me = () => api.request('GET', '/v1/auth/me', { token: body.access_token });
    expect((await me()).body.email).toBe(email);
    return me;
  }

  it('is out when the password is changed', async () => {
    const email = 'careful@example.com';
    const me = await allowedClient(email);
    const changed = await api.request('POST', '/v1/auth/password', {
      token: await api.login({ email, password: PASSWORD }),
      body: { currentPassword: PASSWORD, newPassword: 'another long enough one' },
    });
    expect(changed.status).toBe(204);
    expect((await me()).status).toBe(401);
  });

  it('stands among their sessions, and they end it', async () => {
    const email = 'colleague@example.com';
    const me = await allowedClient(email);
    const token = await api.login({ email, password: PASSWORD });
    const { body } = await api.request('GET', '/v1/auth/sessions', { token });
    const others = body.items.filter(({ current }: { current: boolean }) => !current);
    expect(others).toHaveLength(1);
    const ended = await api.request('DELETE', `/v1/auth/sessions/${others[0].id}`, { token });
    expect(ended.status).toBe(204);
    expect((await me()).status).toBe(401);
  });
});

describe('files', () => {
  it.each([
    '/.git/config',
    '/.env',
    '/package.json',
    '/dashboard/',
    '/dashboard/..%2f..%2fpackage.json',
    '/docs/..%2fpackage.json',
    '/docs/%2e%2e/%2e%2e/package.json',
    '/dashboard/.DS_Store',
  ])('are served by their names alone, and folders not at all: %s', async (path) => {
    const { status, body } = await api.request('GET', path);
    expect([404, 200]).toContain(status);
    if (status === 200) expect(body).toMatch(/^<!doctype html>/i);
    else expect(body.code).toBe('ROUTE_NOT_FOUND');
  });
});

describe('answers', () => {
  it('tell browsers to keep to TLS', async () => {
    for (const path of ['/health/live', '/dashboard', '/v1/auth/me']) {
      const { headers } = await api.request('GET', path);
      expect([path, headers.get('strict-transport-security')]).toEqual([
        path,
        expect.stringMatching(/^max-age=\d{8,}; includeSubDomains/),
      ]);
    }
  });
});

describe('the dashboard', () => {
  it('keeps its token in memory alone', async () => {
    const { status, body } = await api.request('GET', '/dashboard/dashboard.js');
    expect(status).toBe(200);
    expect(body).toContain('accessToken');
    expect(body).not.toMatch(/localStorage|sessionStorage|indexedDB|document\.cookie/);
  });
});
