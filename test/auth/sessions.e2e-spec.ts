import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { authEvents, type AuthEvent } from '#libs/auth';
import { startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const MINUTE_MS = 60_000;
const DESKTOP = { 'user-agent': 'Desktop', 'x-forwarded-for': '192.0.2.7' };
const ABROAD = { 'user-agent': 'curl', 'x-forwarded-for': '203.0.113.9' };
const PASSWORD = 'a long enough password';

interface Session {
  readonly email: string;
  readonly token: string;
  readonly refreshToken: string;
  readonly id: string;
}

describe('sessions over HTTP', () => {
  let api: TestApi;
  let users = 0;
  const events: AuthEvent[] = [];
  let stopListening: () => void;

  beforeAll(async () => {
    api = await startTestApi({
      PANTHEON_HTTP_TRUST_PROXY: 'true',
      PANTHEON_AUTH_SESSION_ACTIVITY_FLUSH_MS: '100',
      PANTHEON_AUTH_ACCESS_TOKEN_TTL_SECONDS: '3600',
    });
    stopListening = authEvents.subscribe((event) => events.push(event));
  });
  afterAll(async () => {
    stopListening();
    await api.close();
  });

  async function newUser(): Promise<string> {
    users += 1;
    const email = `user-${users}@test.example`;
    const body = { email, password: PASSWORD };
    expect(await api.request('POST', '/v1/auth/register', { body })).toMatchObject({ status: 201 });
    return email;
  }

  async function login(email: string, headers = DESKTOP, more: object = {}): Promise<Session> {
    const { status, body } = await api.request('POST', '/v1/auth/login', {
      body: { email, password: PASSWORD, ...more },
      headers,
    });
    expect(status).toBe(200);
    const { accessToken: token, refreshToken } = body;
    const list = await as({ token }, 'GET', '/v1/auth/sessions?limit=1000');
    const { id } = list.body.items.find(({ current }: { current: boolean }) => current);
    return { email, token, refreshToken, id };
  }

  function as(
    { token }: { readonly token: string },
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = DESKTOP,
  ): Promise<TestAnswer> {
    return api.request(method, path, { token, headers, ...(body === undefined ? {} : { body }) });
  }

  const me = (session: Session, headers = DESKTOP) =>
    as(session, 'GET', '/v1/auth/me', undefined, headers);

  it('lists the sessions of the caller with where they came from, and ends one', async () => {
    const email = await newUser();
    const [one, two] = [await login(email), await login(email)];
    await login(await newUser());
    const { body } = await as(one, 'GET', '/v1/auth/sessions');
    expect(body.items).toHaveLength(2);
    expect(body.items[0]).toMatchObject({
      id: one.id,
      current: true,
      address: '192.0.2.7',
      userAgent: 'Desktop',
      risk: 'normal',
      idleTimeoutSeconds: 21 * 60,
    });
    expect((await as(one, 'DELETE', `/v1/auth/sessions/${two.id}`)).status).toBe(204);
    expect((await me(two)).body.code).toBe('AUTH_TOKEN_INVALID');
    expect((await me(one)).status).toBe(200);
    const refresh = { refreshToken: two.refreshToken };
    expect((await as(one, 'POST', '/v1/auth/refresh', refresh)).status).toBe(401);
  });

  it('ends all but the current, or all', async () => {
    const email = await newUser();
    const [one, two, three] = [await login(email), await login(email), await login(email)];
    const answer = await as(three, 'DELETE', '/v1/auth/sessions?except=current');
    expect(answer.body).toEqual({ ended: 2 });
    for (const session of [one, two]) expect((await me(session)).status).toBe(401);
    expect((await me(three)).status).toBe(200);
    expect((await as(three, 'DELETE', '/v1/auth/sessions')).body).toEqual({ ended: 1 });
    expect((await me(three)).status).toBe(401);
  });

  it('does not know the sessions of others', async () => {
    const [mine, other] = [await login(await newUser()), await login(await newUser())];
    for (const [method, path] of [
      ['DELETE', ''],
      ['GET', '/analytics'],
      ['GET', '/recommendations'],
      ['POST', '/renew'],
    ] as const) {
      const answer = await as(mine, method, `/v1/auth/sessions/${other.id}${path}`);
      expect(answer).toMatchObject({ status: 404, body: { code: 'AUTH_SESSION_NOT_FOUND' } });
    }
    expect((await me(other)).status).toBe(200);
  });

  it('ends a session that is not used for its time-out, and keeps one that is', async () => {
    const [used, unused] = [await login(await newUser()), await login(await newUser())];
    for (let round = 0; round < 3; round += 1) {
      api.clock.advance(10 * MINUTE_MS);
      expect((await me(used)).status).toBe(200);
      await writtenUse(used);
    }
    expect((await me(unused)).body.code).toBe('AUTH_TOKEN_INVALID');
    const body = { refreshToken: unused.refreshToken };
    const refreshed = await api.request('POST', '/v1/auth/refresh', { body });
    expect(refreshed.body.code).toBe('AUTH_REFRESH_TOKEN_INVALID');
  });

  it('shows the factors of the time-out, learned from what the user did', async () => {
    const session = await login(await newUser());
    for (let request = 0; request < 60; request += 1) await me(session);
    const path = `/v1/auth/sessions/${session.id}/analytics`;
    const { body } = await as(session, 'GET', path);
    expect(body.session.requestCount).toBeGreaterThan(60);
    expect(body.timeout.factors).toMatchObject({
      baseMinutes: 30,
      activity: { level: 'high', factor: 1.5 },
      role: { name: null, factor: 1 },
      context: { important: false, factor: 1 },
      risk: { level: 'normal', factor: 1 },
      minutes: 45,
    });
    expect(body.learnedFrom).toHaveLength(1);
    const advised = await as(session, 'GET', `/v1/auth/sessions/${session.id}/recommendations`);
    expect(advised.body).toMatchObject({ advice: 'renew', timeoutIfRenewedSeconds: 45 * 60 });
    const renewed = await as(session, 'POST', `/v1/auth/sessions/${session.id}/renew`, {
      important: true,
    });
    expect(renewed.body.timeout).toMatchObject({ timeoutSeconds: Math.round(45 * 1.3 * 60) });
    const endsInMs = Date.parse(renewed.body.expiresAt) - api.clock.nowMs();
    expect(Math.abs(endsInMs - 45 * 1.3 * MINUTE_MS)).toBeLessThan(5_000);
    const after = await as(session, 'GET', `/v1/auth/sessions/${session.id}/recommendations`);
    expect(after.body.advice).toBe('keep');
  });

  it('gives administrators twice the time', async () => {
    const token = await api.login();
    const { body } = await as({ token }, 'GET', '/v1/auth/sessions');
    const { id } = body.items.find(({ current }: { current: boolean }) => current);
    const analytics = await as({ token }, 'GET', `/v1/auth/sessions/${id}/analytics`);
    expect(analytics.body.timeout.factors.role).toEqual({ name: 'admin', factor: 2 });
  });

  it('trusts the place and device of three sessions before, and not a stranger', async () => {
    const email = await newUser();
    for (let time = 0; time < 3; time += 1) await login(email);
    const known = await login(email);
    const analytics = await as(known, 'GET', `/v1/auth/sessions/${known.id}/analytics`);
    expect(analytics.body.timeout.factors.risk).toEqual({ level: 'trusted', factor: 1.2 });
    const strange = await login(email, ABROAD);
    const { body } = await as(
      strange,
      'GET',
      `/v1/auth/sessions/${strange.id}/recommendations`,
      undefined,
      ABROAD,
    );
    expect(body.advice).toBe('log-in-again');
    expect(body.reasons[0]).toContain('new-network');
  });

  it('shortens a session at once that is suddenly used from elsewhere', async () => {
    const session = await login(await newUser());
    const before = await as(session, 'GET', `/v1/auth/sessions/${session.id}/analytics`);
    expect((await me(session, ABROAD)).status).toBe(200);
    await expectEventually(() =>
      events.some((event) => event.type === 'session-anomaly' && event.sessionId === session.id),
    );
    const { body } = await as(session, 'GET', `/v1/auth/sessions/${session.id}/analytics`);
    expect(body.session).toMatchObject({
      risk: 'high',
      anomalies: ['network-changed', 'device-changed'],
    });
    expect(Date.parse(body.session.expiresAt)).toBeLessThan(
      Date.parse(before.body.session.expiresAt),
    );
  });

  it('lets administrators see and end the sessions of users of their organization only', async () => {
    const admin = await login(await newUser());
    const created = await as(admin, 'POST', '/v1/auth/users', {
      email: 'colleague@test.example',
      password: PASSWORD,
    });
    const colleague = await login('colleague@test.example');
    const path = `/v1/auth/users/${created.body.id}/sessions`;
    expect((await as(admin, 'GET', path)).body.items).toMatchObject([{ id: colleague.id }]);
    const stranger = await login(await newUser());
    for (const method of ['GET', 'DELETE']) {
      expect((await as(stranger, method, path)).status).toBe(404);
      expect((await as(colleague, method, path)).status).toBe(403);
    }
    expect((await as(admin, 'DELETE', path)).body).toEqual({ ended: 1 });
    expect((await me(colleague)).status).toBe(401);
  });

  it('changes the password of the caller, who alone stays in', async () => {
    const email = await newUser();
    const [session, other] = [await login(email), await login(email)];
    const change = (currentPassword: string, newPassword: string) =>
      as(session, 'POST', '/v1/auth/password', { currentPassword, newPassword });
    expect((await change('not the password', 'quite another one')).body.code).toBe(
      'AUTH_CREDENTIALS_INVALID',
    );
    expect((await change(PASSWORD, 'Password1234')).body.code).toBe('AUTH_PASSWORD_UNSUITABLE');
    expect((await change(PASSWORD, PASSWORD)).body.code).toBe('AUTH_PASSWORD_USED_BEFORE');
    expect((await change(PASSWORD, 'quite another one')).status).toBe(204);
    expect((await me(session)).status).toBe(200);
    expect((await me(other)).status).toBe(401);
    const again = await change('quite another one', PASSWORD);
    expect(again.body).toMatchObject({
      code: 'AUTH_PASSWORD_USED_BEFORE',
      errors: [{ path: 'body.newPassword' }],
    });
    const logins = await Promise.all(
      [PASSWORD, 'quite another one'].map((password) =>
        api.request('POST', '/v1/auth/login', { body: { email, password } }),
      ),
    );
    expect(logins.map(({ status }) => status)).toEqual([401, 200]);
  });

  it('sets a password by a token of an administrator, once', async () => {
    const admin = await login(await newUser());
    const email = 'forgetful@test.example';
    const created = await as(admin, 'POST', '/v1/auth/users', { email, password: PASSWORD });
    const session = await login(email);
    const issue = () => as(admin, 'POST', `/v1/auth/users/${created.body.id}/password-reset`);
    const stale = await issue();
    const { status, body } = await issue();
    expect(status).toBe(201);
    const reset = (token: string, newPassword = 'something new for once') =>
      api.request('POST', '/v1/auth/password/reset', { body: { token, newPassword } });
    expect((await reset(stale.body.token)).body.code).toBe('AUTH_RESET_TOKEN_INVALID');
    expect((await reset(body.token, '123456789012')).status).toBe(400);
    expect((await reset(body.token)).status).toBe(204);
    expect((await reset(body.token)).status).toBe(401);
    expect((await me(session)).status).toBe(401);
    const answer = await api.request('POST', '/v1/auth/login', {
      body: { email, password: 'something new for once' },
    });
    expect(answer.status).toBe(200);
  });

  async function writtenUse({ id, token }: Session): Promise<void> {
    await expectEventually(async () => {
      const { body } = await as({ token }, 'GET', '/v1/auth/sessions');
      const { lastActiveAt } = body.items.find((item: { id: string }) => item.id === id);
      return api.clock.nowMs() - Date.parse(lastActiveAt) < MINUTE_MS;
    });
  }
});

async function expectEventually(isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + 10_000;
  while (!(await isSo())) {
    if (Date.now() > deadlineMs) throw new Error('It did not come about within 10 s.');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
