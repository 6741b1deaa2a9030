import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ExpiredRowsRegistry } from '../../libs/jobs/src/purge/expired-rows.registry.js';
import { ADMINISTRATOR, startTestApi, type TestAnswer, type TestApi } from '../support/app.js';

const PASSWORD = 'a long enough password';

let api: TestApi;
let users = 0;

beforeAll(async () => {
  api = await startTestApi();
});
afterAll(() => api.close());

function post(path: string, body?: unknown, token?: string): Promise<TestAnswer> {
  return api.request('POST', `/v1/auth/${path}`, {
    ...(body === undefined ? {} : { body }),
    ...(token === undefined ? {} : { token }),
  });
}

function me(token?: string): Promise<TestAnswer> {
  return api.request('GET', '/v1/auth/me', token === undefined ? {} : { token });
}

async function newUser(): Promise<{ email: string; password: string }> {
  users += 1;
  const credentials = { email: `somebody-${users}@example.com`, password: PASSWORD };
  expect((await post('register', credentials)).status).toBe(201);
  return credentials;
}

async function newSession(): Promise<{ accessToken: string; refreshToken: string }> {
  const answer = await post('login', await newUser());
  expect(answer.status).toBe(200);
  return answer.body;
}

function expectProblem(answer: TestAnswer, status: number, code: string): void {
  expect(answer.headers.get('content-type')).toMatch(/^application\/problem\+json/);
  expect({ status: answer.status, code: answer.body.code }).toEqual({ status, code });
}

describe('POST /v1/auth/register', () => {
  it('makes an owner of an organization of their own', async () => {
    const body = { email: 'Ada@Example.com', password: PASSWORD, organizationName: 'Analytical' };
    const answer = await post('register', body);
    expect(answer.status).toBe(201);
    expect(answer.body).toMatchObject({ email: 'ada@example.com', roles: ['owner'] });
    expect(JSON.stringify(answer.body)).not.toMatch(/password|argon2/i);
    const other = await post('register', { email: 'bob@example.com', password: PASSWORD });
    expect(other.body.organizationId).not.toBe(answer.body.organizationId);
  });

  it('refuses an email that is taken, in whatever case, and leaves nothing behind', async () => {
    const { email } = await newUser();
    const count = () => api.platform.dataSource.query<unknown>('SELECT count(*) FROM organization');
    const before = await count();
    const answer = await post('register', { email: email.toUpperCase(), password: PASSWORD });
    expectProblem(answer, 409, 'AUTH_EMAIL_UNAVAILABLE');
    expect(await count()).toEqual(before);
  });

  it('lets one of several simultaneous registrations of an email through', async () => {
    const body = { email: 'race@example.com', password: PASSWORD };
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => post('register', body)));
    const statuses = answers.map(({ status }) => status).sort((a, b) => a - b);
    expect(statuses).toEqual([201, 409, 409, 409, 409]);
  });

  it.each([
    [{ email: 'x@example.com', password: 'short' }, 'body.password'],
    [{ email: 'x@example.com', password: 'x'.repeat(129) }, 'body.password'],
    [{ email: 'no email', password: PASSWORD }, 'body.email'],
    [{ email: 'a\u0000b@example.com', password: PASSWORD }, 'body.email'],
    [{ password: PASSWORD }, 'body.email'],
    [
      { email: 'x@example.com', password: PASSWORD, organizationName: '   ' },
      'body.organizationName',
    ],
    [
      { email: 'x@example.com', password: PASSWORD, organizationName: 'a\u0000' },
      'body.organizationName',
    ],
    [{ email: 'x@example.com', password: PASSWORD, roles: ['admin'] }, 'body'],
  ])('refuses %j and names %s', async (body, path) => {
    const answer = await post('register', body);
    expect(answer.status).toBe(400);
    expect(answer.body.errors.map((fault: { path: string }) => fault.path)).toContain(path);
  });

  it('is closed when the setting says so', async () => {
    api.platform.store.overrideAll({ 'auth.registration': 'closed' });
    const answer = await post('register', { email: 'late@example.com', password: PASSWORD });
    api.platform.store.overrideAll({ 'auth.registration': 'open' });
    expectProblem(answer, 403, 'AUTH_REGISTRATION_CLOSED');
  });
});

describe('POST /v1/auth/login', () => {
  it('answers with a pair of tokens that clients can rely on', async () => {
    const answer = await post('login', await newUser());
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      accessToken: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      refreshToken: expect.stringMatching(/^prt_[\w-]{43}$/),
      tokenType: 'Bearer',
      expiresInSeconds: 900,
    });
  });

  it('takes the email in any case, and the password in any composition', async () => {
    const password = 'Caf\u00e9s of Zo\u00eb, twelve';
    await post('register', { email: 'zoe@example.com', password });
    const body = { email: 'ZOE@Example.com', password: password.normalize('NFD') };
    expect((await post('login', body)).status).toBe(200);
  });

  it('answers a wrong password, an unknown email and a disabled account alike', async () => {
    const { email } = await newUser();
    const disabled = await newUser();
    await api.platform.dataSource.query(
      'UPDATE user_account SET disabled_at = now() WHERE email = $1',
      [disabled.email],
    );
    const answers = await Promise.all([
      post('login', { email, password: 'not the password' }),
      post('login', { email, password: `${PASSWORD} ` }),
      post('login', { email: 'nobody@example.com', password: PASSWORD }),
      post('login', disabled),
    ]);
    for (const answer of answers) expectProblem(answer, 401, 'AUTH_CREDENTIALS_INVALID');
    const bodies = answers.map(({ body }) => JSON.stringify({ ...body, requestId: '' }));
    expect(new Set(bodies).size).toBe(1);
  });

  it('refuses an account after too many failures and says for how long', async () => {
    const credentials = await newUser();
    const guess = () => post('login', { ...credentials, password: 'not the password' });
    for (let time = 0; time < 10; time += 1) expect((await guess()).status).toBe(401);
    const refused = await post('login', credentials);
    expectProblem(refused, 429, 'AUTH_THROTTLED');
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(800);
    // Others from the same address are not concerned.
    expect((await post('login', await newUser())).status).toBe(200);
    api.clock.advance(900_000);
    expect((await post('login', credentials)).status).toBe(200);
  });

  it('stays within that limit when guesses come all at once', async () => {
    const credentials = await newUser();
    const answers = await Promise.all(
      Array.from({ length: 40 }, () => post('login', { ...credentials, password: 'a wrong one' })),
    );
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 401)).toHaveLength(10);
    expect(statuses.filter((status) => status === 429)).toHaveLength(30);
  });

  it('answers 503 when more log-ins come than the queue holds, and recovers', async () => {
    const strangers = Array.from({ length: 15 }, (_, index) => ({
      email: `stranger-${index}@example.com`,
      password: PASSWORD,
    }));
    api.platform.store.overrideAll({ 'auth.passwordQueueLimit': 2, 'auth.passwordConcurrency': 1 });
    const answers = await Promise.all(strangers.map((credentials) => post('login', credentials)));
    api.platform.store.overrideAll({
      'auth.passwordQueueLimit': 100,
      'auth.passwordConcurrency': 2,
    });
    const busy = answers.filter(({ status }) => status !== 401);
    expect(busy.length).toBeGreaterThan(0);
    for (const answer of busy) {
      expectProblem(answer, 503, 'AUTH_BUSY');
      expect(answer.headers.get('retry-after')).toBe('1');
    }
    expect((await post('login', await newUser())).status).toBe(200);
  });

  it('renews a hash that was made at another cost', async () => {
    const credentials = await newUser();
    const hashOf = async () => {
      const [row] = await api.platform.dataSource.query<{ password_hash: string }[]>(
        'SELECT password_hash FROM user_account WHERE email = $1',
        [credentials.email],
      );
      return row?.password_hash;
    };
    expect(await hashOf()).toContain('t=2');
    api.platform.store.overrideAll({ 'auth.passwordIterations': 3 });
    expect((await post('login', credentials)).status).toBe(200);
    api.platform.store.overrideAll({ 'auth.passwordIterations': 2 });
    expect(await hashOf()).toContain('t=3');
    expect((await post('login', credentials)).status).toBe(200);
  });
});

describe('a token', () => {
  it('tells who the caller is and what they may do', async () => {
    const answer = await me(await api.login());
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      email: ADMINISTRATOR.email,
      roles: ['admin'],
      grants: [{ resource: '*', action: '*', effect: 'allow' }],
    });
  });

  it.each([
    ['none', undefined, 'AUTH_TOKEN_MISSING'],
    ['an empty header', '', 'AUTH_TOKEN_MISSING'],
    ['another scheme', 'Basic YTpi', 'AUTH_TOKEN_INVALID'],
    ['no token after the scheme', 'Bearer', 'AUTH_TOKEN_INVALID'],
    ['two tokens', 'Bearer a b', 'AUTH_TOKEN_INVALID'],
    ['a forged one', 'Bearer e30.e30.e30', 'AUTH_TOKEN_INVALID'],
  ])('is demanded: %s is refused', async (_, authorization, code) => {
    const headers: Record<string, string> = authorization === undefined ? {} : { authorization };
    const answer = await api.request('GET', '/v1/auth/me', { headers });
    expectProblem(answer, 401, code);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('is taken whatever the case of its scheme', async () => {
    const token = await api.login();
    const headers = { authorization: `bearer  ${token}` };
    expect((await api.request('GET', '/v1/auth/me', { headers })).status).toBe(200);
  });

  it('is refused as expired after a quarter of an hour', async () => {
    const { accessToken } = await newSession();
    api.clock.advance(901_000);
    expectProblem(await me(accessToken), 401, 'AUTH_TOKEN_EXPIRED');
  });

  it('names the user in the lines that are logged for a request', async () => {
    const token = await api.login();
    const { body } = await me(token);
    const line = api.log.records.findLast(({ route }) => route === '/v1/auth/me');
    expect(line).toMatchObject({ userId: body.id });
  });

  it('never gets into the log, nor does a password', async () => {
    const { email } = await newUser();
    const { body } = await post('login', { email, password: PASSWORD });
    await post('refresh', { refreshToken: body.refreshToken });
    await me(body.accessToken);
    await post('login', { email, password: 'another secret guess' });
    const log = api.log.lines.join('');
    for (const secret of [PASSWORD, body.refreshToken, body.accessToken, 'another secret guess']) {
      expect(log).not.toContain(secret);
    }
  });
});

describe('POST /v1/auth/refresh', () => {
  it('exchanges a refresh token once, and ends the session when it comes back later', async () => {
    const first = await newSession();
    const second = await post('refresh', { refreshToken: first.refreshToken });
    expect(second.status).toBe(200);
    expect((await me(second.body.accessToken)).status).toBe(200);
    const again = await post('refresh', { refreshToken: first.refreshToken });
    expectProblem(again, 409, 'AUTH_REFRESH_CONCURRENT');
    expect((await me(second.body.accessToken)).status).toBe(200);
    api.clock.advance(10_000);
    const stolen = await post('refresh', { refreshToken: first.refreshToken });
    expectProblem(stolen, 401, 'AUTH_REFRESH_TOKEN_REUSED');
    expectProblem(await me(second.body.accessToken), 401, 'AUTH_TOKEN_INVALID');
    const dead = await post('refresh', { refreshToken: second.body.refreshToken });
    expectProblem(dead, 401, 'AUTH_REFRESH_TOKEN_INVALID');
  });

  it('works after the access token has expired', async () => {
    const { accessToken, refreshToken } = await newSession();
    api.clock.advance(16 * 60_000);
    expectProblem(await me(accessToken), 401, 'AUTH_TOKEN_EXPIRED');
    const refreshed = await post('refresh', { refreshToken });
    expect((await me(refreshed.body.accessToken)).status).toBe(200);
  });

  it('refuses an access token in its place', async () => {
    const { accessToken } = await newSession();
    const answer = await post('refresh', { refreshToken: accessToken });
    expect([400, 401]).toContain(answer.status);
  });
});

describe('POST /v1/auth/logout', () => {
  it('ends the session of the access token, and it alone, at once', async () => {
    const credentials = await newUser();
    const [one, other] = (
      await Promise.all([post('login', credentials), post('login', credentials)])
    ).map(({ body }) => body as { accessToken: string; refreshToken: string });
    const answer = await post('logout', undefined, one?.accessToken);
    expect([answer.status, answer.body]).toEqual([204, undefined]);
    expectProblem(await me(one?.accessToken), 401, 'AUTH_TOKEN_INVALID');
    const refresh = await post('refresh', { refreshToken: one?.refreshToken });
    expectProblem(refresh, 401, 'AUTH_REFRESH_TOKEN_INVALID');
    expect((await me(other?.accessToken)).status).toBe(200);
  });

  it('takes the refresh token alone too, for a client whose access token has expired', async () => {
    const { accessToken, refreshToken } = await newSession();
    expect((await post('logout', { refreshToken })).status).toBe(204);
    expectProblem(await me(accessToken), 401, 'AUTH_TOKEN_INVALID');
    expect((await post('logout', { refreshToken })).status).toBe(204);
    expect((await post('logout', { refreshToken: 'prt_unknown' })).status).toBe(204);
  });

  it('takes both', async () => {
    const { accessToken, refreshToken } = await newSession();
    expect((await post('logout', { refreshToken }, accessToken)).status).toBe(204);
    expectProblem(await me(accessToken), 401, 'AUTH_TOKEN_INVALID');
  });

  it('refuses a caller without either, and one with a token that is none', async () => {
    expectProblem(await post('logout'), 401, 'AUTH_TOKEN_MISSING');
    expectProblem(await post('logout', {}), 401, 'AUTH_TOKEN_MISSING');
    expectProblem(await post('logout', undefined, 'x.y.z'), 401, 'AUTH_TOKEN_INVALID');
  });
});

describe('the hourly purge', () => {
  it('deletes tokens that have expired, sessions a month later, and no others', async () => {
    api.platform.store.overrideAll({ 'auth.adaptiveSessions': false });
    const purge = async () => {
      const { purgers } = api.app.get(ExpiredRowsRegistry);
      const { signal } = new AbortController();
      for (const owner of ['auth.user_session', 'auth.refresh_token']) {
        const purger = purgers.find((one) => one.owner === owner);
        await purger?.purgeBatch(10_000, api.clock.now(), signal);
      }
    };
    const count = async (table: string) => {
      const [row] = await api.platform.dataSource.query<{ count: number }[]>(
        `SELECT count(*)::integer AS count FROM ${table}`,
      );
      return row?.count;
    };
    const refreshed = await newSession();
    api.clock.advance(13 * 86_400_000);
    const alive = await post('refresh', { refreshToken: refreshed.refreshToken });
    api.clock.advance(2 * 86_400_000);
    await purge();
    // Every other token of this file is older; of this session the first has expired.
    expect(await count('refresh_token')).toBe(1);
    expect(await count('user_session')).toBeGreaterThan(1);
    expect((await post('refresh', { refreshToken: alive.body.refreshToken })).status).toBe(200);
    api.clock.advance(20 * 86_400_000);
    await purge();
    expect([await count('user_session'), await count('refresh_token')]).toEqual([1, 0]);
    api.clock.advance(30 * 86_400_000);
    await purge();
    expect(await count('user_session')).toBe(0);
    api.platform.store.overrideAll({});
  });
});
