import { describe, expect, it } from '@jest/globals';
import { ExpiredRowsRegistry } from '../../libs/jobs/src/purge/expired-rows.registry.js';
import { ADMINISTRATOR } from '../support/app.js';
import { accountsHarness } from './accounts-harness.js';
import { expectProblem } from './expect-problem.js';

const accounts = accountsHarness();
const { me, newSession, newUser, post } = accounts;

describe('a token', () => {
  it('tells who the caller is and what they may do', async () => {
    const answer = await me(await accounts.api.login());
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
    const answer = await accounts.api.request('GET', '/v1/auth/me', { headers });
    expectProblem(answer, 401, code);
    expect(answer.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  it('is taken whatever the case of its scheme', async () => {
    const token = await accounts.api.login();
    const headers = { authorization: `bearer  ${token}` };
    expect((await accounts.api.request('GET', '/v1/auth/me', { headers })).status).toBe(200);
  });

  it('is refused as expired after a quarter of an hour', async () => {
    const { accessToken } = await newSession();
    accounts.api.clock.advance(901_000);
    expectProblem(await me(accessToken), 401, 'AUTH_TOKEN_EXPIRED');
  });

  it('names the user in the lines that are logged for a request', async () => {
    const token = await accounts.api.login();
    const { body } = await me(token);
    const line = accounts.api.log.records.findLast(({ route }) => route === '/v1/auth/me');
    expect(line).toMatchObject({ userId: body.id });
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
    accounts.api.clock.advance(10_000);
    const stolen = await post('refresh', { refreshToken: first.refreshToken });
    expectProblem(stolen, 401, 'AUTH_REFRESH_TOKEN_REUSED');
    expectProblem(await me(second.body.accessToken), 401, 'AUTH_TOKEN_INVALID');
    const dead = await post('refresh', { refreshToken: second.body.refreshToken });
    expectProblem(dead, 401, 'AUTH_REFRESH_TOKEN_INVALID');
  });

  it('works after the access token has expired', async () => {
    const { accessToken, refreshToken } = await newSession();
    accounts.api.clock.advance(16 * 60_000);
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
    accounts.api.platform.store.overrideAll({ 'auth.adaptiveSessions': false });
    const purge = async () => {
      const { purgers } = accounts.api.app.get(ExpiredRowsRegistry);
      const { signal } = new AbortController();
      for (const owner of ['auth.user_session', 'auth.refresh_token']) {
        const purger = purgers.find((one) => one.owner === owner);
        await purger?.purgeBatch(10_000, accounts.api.clock.now(), signal);
      }
    };
    const count = async (table: string) => {
      const [row] = await accounts.api.platform.dataSource.query<{ count: number }[]>(
        `SELECT count(*)::integer AS count FROM ${table}`,
      );
      return row?.count;
    };
    const refreshed = await newSession();
    accounts.api.clock.advance(13 * 86_400_000);
    const alive = await post('refresh', { refreshToken: refreshed.refreshToken });
    accounts.api.clock.advance(2 * 86_400_000);
    await purge();
    // Every other token of this file is older; of this session the first has expired.
    expect(await count('refresh_token')).toBe(1);
    expect(await count('user_session')).toBeGreaterThan(1);
    expect((await post('refresh', { refreshToken: alive.body.refreshToken })).status).toBe(200);
    accounts.api.clock.advance(20 * 86_400_000);
    await purge();
    expect([await count('user_session'), await count('refresh_token')]).toEqual([1, 0]);
    accounts.api.clock.advance(30 * 86_400_000);
    await purge();
    expect(await count('user_session')).toBe(0);
    accounts.api.platform.store.overrideAll({});
  });
});
