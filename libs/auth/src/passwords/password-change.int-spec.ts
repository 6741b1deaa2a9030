import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { hash } from 'node:crypto';
import { newId, type Principal } from '#libs/core';
import { type AuthHarness, startAuth } from '../../../../test/auth/auth-harness.js';
import { createTestDatabase, type TestDatabase } from '../../../../test/support/database.js';
import { lockWait } from '../../../../test/support/lock-wait.js';
import { Authenticator } from '../accounts/authenticator.js';
import { Login } from '../accounts/login.js';
import { Registration } from '../accounts/registration.js';
import { ApiKeys } from '../api-keys/api-keys.js';
import { AuthorizationCodeStore } from '../oauth/authorization-code.store.js';
import { ClientSessionStore } from '../oauth/client-session.store.js';
import { OAuthClientStore } from '../oauth/oauth-client.store.js';
import { SessionInsights } from '../sessions/session-insights.js';
import { Sessions } from '../sessions/sessions.js';
import { passwordResetTokens } from '../tokens/opaque-token.js';
import { PasswordChange } from './password-change.js';
import { PasswordResetStore } from './password-reset.store.js';

const ADDRESS = '192.0.2.1';
const OLD = 'a long enough password';
const NEW = 'something new for once';
const DAY_MS = 86_400_000;

describe('a new password', () => {
  let database: TestDatabase;
  let auth: AuthHarness;
  let user: Principal;

  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.close());
  beforeEach(async () => {
    auth = await startAuth({ dataSource: database.dataSource });
    const email = `${newId(Date.now())}@example.com`;
    user = await auth.get(Registration).register({ email, password: OLD, address: ADDRESS });
  });
  afterEach(() => auth.close());

  const attempt = (password = OLD) => ({ email: user.email, password, address: ADDRESS });
  const change = () =>
    auth.get(PasswordChange).change(user, newId(auth.clock.nowMs()), { current: OLD, next: NEW });
  const inDays = (days: number) => new Date(auth.clock.nowMs() + days * DAY_MS);

  /** A way to set the password that was given to the user. */
  async function resetToken(): Promise<string> {
    const { token, tokenHash } = passwordResetTokens.issue();
    const reset = { userId: user.userId, tokenHash, expiresAt: inDays(1) };
    await auth.get(PasswordResetStore).replace(database.dataSource.manager, reset);
    return token;
  }

  /** What a client exchanges for a session once the user has let it. */
  async function consent(passwordHash: string) {
    const client = {
      id: newId(auth.clock.nowMs()),
      organizationId: user.organizationId,
      name: 'Reader',
      type: 'public',
      grantTypes: ['authorization_code'],
      redirectUris: [],
      scopes: ['*:*'],
      shared: false,
      serviceUserId: null,
      disabled: false,
      createdAt: auth.clock.now(),
      previousSecretExpiresAt: null,
    } as const;
    await auth.get(OAuthClientStore).insert(database.dataSource.manager, client, null);
    const code = {
      codeHash: hash('sha256', client.id, 'buffer'),
      redirectUri: 'https://app.test.example/callback',
      codeChallenge: 'challenge',
    };
    const isKept = await auth.get(AuthorizationCodeStore).add({
      ...code,
      clientId: client.id,
      userId: user.userId,
      passwordHash,
      scope: '*:*',
      validUntil: inDays(1),
      expiresAt: inDays(1),
    });
    const session = {
      sessionId: newId(auth.clock.nowMs()),
      clientId: client.id,
      now: auth.clock.now(),
      expiresAt: inDays(1),
      refresh: undefined,
    };
    return { isKept, code, session };
  }

  it('takes back codes and reset tokens that were given out before', async () => {
    const { passwordHash } = await auth.get(Login).verify(attempt());
    const { isKept, code, session } = await consent(passwordHash);
    expect(isKept).toBe(true);
    const token = await resetToken();
    await change();
    const exchanged = await auth.get(ClientSessionStore).exchange(code, session);
    expect(exchanged.session).toBeUndefined();
    const reset = auth.get(PasswordChange).reset(token, 'yet another password', ADDRESS);
    await expect(reset).rejects.toMatchObject({ code: 'AUTH_RESET_TOKEN_INVALID' });
  });

  it('ends a session whose code is exchanged in this moment', async () => {
    const { passwordHash } = await auth.get(Login).verify(attempt());
    const { code, session } = await consent(passwordHash);
    const other = database.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query('UPDATE oauth_code SET used_at = now() WHERE code_hash = $1', [
      code.codeHash,
    ]);
    await other.query(
      `INSERT INTO user_session (id, user_id, client_id, created_at, refreshed_at, expires_at)
       VALUES ($1, $2, $3, $4, $4, $5)`,
      [session.sessionId, user.userId, session.clientId, session.now, session.expiresAt],
    );
    const changed = change();
    await lockWait(database.dataSource);
    await other.commitTransaction();
    await other.release();
    await changed;
    await expect(auth.get(SessionInsights).list(user.userId, 10)).resolves.toEqual([]);
  });

  it('lets a log-in that was checked before it open no session and give no code', async () => {
    const verified = await auth.get(Login).verify(attempt());
    await change();
    const opened = auth.get(Sessions).open(user.userId, verified);
    await expect(opened).rejects.toMatchObject({ code: 'AUTH_CREDENTIALS_INVALID' });
    expect((await consent(verified.passwordHash)).isKept).toBe(false);
    await expect(auth.get(SessionInsights).list(user.userId, 10)).resolves.toEqual([]);
  });

  it.each([
    ['is being changed', `password_hash = 'another'`],
    ['is being disabled', 'disabled_at = now()'],
  ])('makes a log-in wait for an account that %s', async (_, what) => {
    const verified = await auth.get(Login).verify(attempt());
    const other = database.dataSource.createQueryRunner();
    await other.startTransaction();
    await other.query(`UPDATE user_account SET ${what} WHERE id = $1`, [user.userId]);
    const opened = auth.get(Sessions).open(user.userId, verified);
    const outcome = expect(opened).rejects.toMatchObject({ code: 'AUTH_CREDENTIALS_INVALID' });
    await lockWait(database.dataSource);
    await other.commitTransaction();
    await other.release();
    await outcome;
  });

  it('ends the API keys of the account when it is set by a token, and not when it is changed', async () => {
    const scope = [{ resource: 'source:*', action: 'read' }];
    const { key } = await auth.get(ApiKeys).create(user, { name: 'robot', scope });
    const use = () => auth.get(Authenticator).authenticate({ headers: { 'x-api-key': key } });
    await change();
    await expect(use()).resolves.toMatchObject({ principal: { userId: user.userId } });
    await auth.get(PasswordChange).reset(await resetToken(), 'yet another password', ADDRESS);
    await expect(use()).rejects.toMatchObject({ code: 'AUTH_API_KEY_INVALID' });
  });

  it('does not keep log-ins out that renew the same hash at once', async () => {
    auth.settings.overrideAll({ 'auth.passwordIterations': 3 });
    const logins = await Promise.all(
      Array.from({ length: 5 }, () => auth.get(Login).login(attempt())),
    );
    expect(new Set(logins.map(({ accessToken }) => accessToken)).size).toBe(5);
  });
});
