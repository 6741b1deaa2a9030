import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { authEvents, Authenticator, type AuthEvent } from '#libs/auth';
import { PantheonError } from '#libs/core';
import { createTestDatabase, type TestDatabase } from '../support/database.js';
import { Login } from '../../libs/auth/src/accounts/login.js';
import { Registration } from '../../libs/auth/src/accounts/registration.js';
import { Sessions, type TokenPair } from '../../libs/auth/src/sessions/sessions.js';
import { type AuthHarness, startAuth } from './auth-harness.js';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const ADDRESS = '192.0.2.1';

describe('Sessions', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let sessions: Sessions;
  let users = 0;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    sessions = auth.get(Sessions);
  });
  afterEach(() => auth.close());

  async function newUser(): Promise<{ userId: string; email: string; password: string }> {
    users += 1;
    const credentials = { email: `user-${users}@example.com`, password: 'a long enough password' };
    const { userId } = await auth.get(Registration).register({ ...credentials, address: ADDRESS });
    return { userId, ...credentials };
  }

  async function open(): Promise<TokenPair> {
    return sessions.open((await newUser()).userId);
  }

  function principalOf({ accessToken }: TokenPair, process: AuthHarness = auth) {
    return process
      .get(Authenticator)
      .authenticate({ headers: { authorization: `Bearer ${accessToken}` } });
  }

  it('opens a session whose access token names the user for 15 minutes', async () => {
    const { email, password, userId } = await newUser();
    const tokens = await auth.get(Login).login({ email, password, address: ADDRESS });
    expect(tokens).toMatchObject({ tokenType: 'Bearer', expiresInSeconds: 900 });
    await expect(principalOf(tokens)).resolves.toMatchObject({ principal: { userId, email } });
    auth.clock.advance(15 * MINUTE_MS);
    await expect(principalOf(tokens)).rejects.toMatchObject({ code: 'AUTH_TOKEN_EXPIRED' });
  });

  it('stores no token that could be used, only hashes', async () => {
    const { refreshToken, accessToken } = await open();
    const [{ dump } = { dump: '' }] = await database.dataSource.query<{ dump: string }[]>(
      `SELECT string_agg(token::text || session::text, '') AS dump
       FROM refresh_token token JOIN user_session session ON session.id = token.session_id`,
    );
    expect(dump).not.toContain(refreshToken.slice(4));
    expect(dump).not.toContain(accessToken);
  });

  it('exchanges a refresh token for a new pair of the same session', async () => {
    const first = await open();
    const second = await sessions.refresh(first.refreshToken);
    expect(second.refreshToken).not.toBe(first.refreshToken);
    const [one, two] = await Promise.all([principalOf(first), principalOf(second)]);
    expect(two).toEqual(one);
  });

  it('lets exactly one of 50 simultaneous refreshes of a token through', async () => {
    const { refreshToken } = await open();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () => sessions.refresh(refreshToken)),
    );
    expect(codesOf(outcomes)).toEqual({ success: 1, AUTH_REFRESH_CONCURRENT: 49 });
    // The family lives on: concurrent refreshes are no theft.
    const winner = outcomes.find((outcome) => outcome.status === 'fulfilled');
    const tokens = (winner as PromiseFulfilledResult<TokenPair>).value;
    await expect(principalOf(tokens)).resolves.toBeDefined();
    await expect(sessions.refresh(tokens.refreshToken)).resolves.toBeDefined();
  });

  it('ends the family for 50 simultaneous refreshes when there is no grace', async () => {
    auth.settings.overrideAll({ 'auth.refreshReuseGraceSeconds': 0 });
    const { refreshToken } = await open();
    const outcomes = await Promise.allSettled(
      Array.from({ length: 50 }, () => sessions.refresh(refreshToken)),
    );
    const { success, ...refusals } = codesOf(outcomes);
    expect(success).toBe(1);
    // The first reuse ends the session; those after it find it ended.
    expect(refusals['AUTH_REFRESH_TOKEN_REUSED']).toBeGreaterThanOrEqual(1);
    expect(Object.values(refusals).reduce((sum, count) => sum + count, 0)).toBe(49);
    const winner = outcomes.find((outcome) => outcome.status === 'fulfilled');
    const tokens = (winner as PromiseFulfilledResult<TokenPair>).value;
    await expect(principalOf(tokens)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
    await expect(sessions.refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'AUTH_REFRESH_TOKEN_INVALID',
    });
  });

  it('ends the whole family when a token comes back after the grace', async () => {
    const events: AuthEvent[] = [];
    const stop = authEvents.subscribe((event) => events.push(event));
    const stolen = await open();
    const second = await sessions.refresh(stolen.refreshToken);
    const third = await sessions.refresh(second.refreshToken);
    auth.clock.advance(10_000);
    await expect(sessions.refresh(stolen.refreshToken)).rejects.toMatchObject({
      kind: 'unauthenticated',
      code: 'AUTH_REFRESH_TOKEN_REUSED',
    });
    stop();
    for (const { refreshToken } of [second, third]) {
      await expect(sessions.refresh(refreshToken)).rejects.toMatchObject({
        code: 'AUTH_REFRESH_TOKEN_INVALID',
      });
    }
    await expect(principalOf(third)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
    expect(events).toContainEqual(expect.objectContaining({ type: 'refresh-token-reused' }));
    expect(auth.log.lines.join('')).toContain('A refresh token was used twice');
  });

  it('leaves other sessions of the user alone when one is ended', async () => {
    const { userId } = await newUser();
    const [stolen, other] = await Promise.all([sessions.open(userId), sessions.open(userId)]);
    await sessions.refresh(stolen.refreshToken);
    auth.clock.advance(11_000);
    await expect(sessions.refresh(stolen.refreshToken)).rejects.toThrow(PantheonError);
    await expect(principalOf(other)).resolves.toBeDefined();
    await expect(sessions.refresh(other.refreshToken)).resolves.toBeDefined();
  });

  it('refuses a refresh token that nobody gave out, whatever its form', async () => {
    const unknown = ['', 'x', 'prt_', `prt_${'A'.repeat(43)}`, '\u0000', `prt_${'A'.repeat(5000)}`];
    for (const token of unknown) {
      await expect(sessions.refresh(token)).rejects.toMatchObject({
        code: 'AUTH_REFRESH_TOKEN_INVALID',
      });
    }
  });

  it('ends a session that is not refreshed for 14 days', async () => {
    auth.settings.overrideAll({ 'auth.adaptiveSessions': false });
    const tokens = await open();
    auth.clock.advance(14 * DAY_MS);
    await expect(sessions.refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'AUTH_REFRESH_TOKEN_INVALID',
    });
  });

  it('moves a session on whose last request comes just before its end', async () => {
    auth.settings.overrideAll({ 'auth.accessTokenTtlSeconds': 3_600 });
    const tokens = await open();
    auth.clock.advance(21 * MINUTE_MS - 2_000);
    await expect(principalOf(tokens)).resolves.toBeDefined();
    auth.clock.advance(20 * MINUTE_MS);
    await expect(principalOf(tokens)).resolves.toBeDefined();
    auth.clock.advance(22 * MINUTE_MS);
    await expect(principalOf(tokens)).rejects.toMatchObject({ kind: 'unauthenticated' });
  });

  it('ends a session at its greatest age, however often it is refreshed', async () => {
    auth.settings.overrideAll({ 'auth.adaptiveSessions': false });
    let tokens = await open();
    for (let day = 0; day < 80; day += 10) {
      auth.clock.advance(10 * DAY_MS);
      tokens = await sessions.refresh(tokens.refreshToken);
    }
    auth.clock.advance(10 * DAY_MS - 1);
    tokens = await sessions.refresh(tokens.refreshToken);
    auth.clock.advance(1);
    await expect(sessions.refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'AUTH_REFRESH_TOKEN_INVALID',
    });
    await expect(principalOf(tokens)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
  });

  it('ends a session at once in every process', async () => {
    const elsewhere = await startAuth({ dataSource: database.dataSource, clock: auth.clock });
    const tokens = await open();
    // Both processes have seen the token before.
    const { credential } = await principalOf(tokens, elsewhere);
    await principalOf(tokens);
    await sessions.end(credential.id);
    await sessions.end(credential.id);
    await expect(principalOf(tokens, elsewhere)).rejects.toMatchObject({
      code: 'AUTH_TOKEN_INVALID',
    });
    await expect(elsewhere.get(Sessions).refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'AUTH_REFRESH_TOKEN_INVALID',
    });
    await elsewhere.close();
  });

  it('does not serve a user who is disabled, even while a session is open', async () => {
    const { userId } = await newUser();
    const tokens = await sessions.open(userId);
    await database.dataSource.query('UPDATE user_account SET disabled_at = now() WHERE id = $1', [
      userId,
    ]);
    await expect(principalOf(tokens)).rejects.toMatchObject({ code: 'AUTH_TOKEN_INVALID' });
    await expect(sessions.refresh(tokens.refreshToken)).rejects.toMatchObject({
      code: 'AUTH_REFRESH_TOKEN_INVALID',
    });
  });

  it('never revives a session that ends while it is refreshed', async () => {
    for (let round = 0; round < 20; round += 1) {
      const tokens = await open();
      const { credential } = await principalOf(tokens);
      const [refreshed] = await Promise.allSettled([
        sessions.refresh(tokens.refreshToken),
        sessions.end(credential.id),
      ]);
      if (refreshed.status === 'rejected') continue;
      await expect(principalOf(refreshed.value)).rejects.toMatchObject({
        code: 'AUTH_TOKEN_INVALID',
      });
      await expect(sessions.refresh(refreshed.value.refreshToken)).rejects.toThrow(PantheonError);
    }
  });
});

function codesOf(outcomes: readonly PromiseSettledResult<unknown>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const outcome of outcomes) {
    const reason: unknown = outcome.status === 'rejected' ? outcome.reason : undefined;
    const code =
      outcome.status === 'fulfilled'
        ? 'success'
        : reason instanceof PantheonError
          ? reason.code
          : String(reason);
    counts[code] = (counts[code] ?? 0) + 1;
  }
  return counts;
}
