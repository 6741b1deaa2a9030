import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId, type Principal } from '#libs/core';
import { clientKeyOf } from '#libs/http';
import type { EntityManager } from 'typeorm';
import { AccountStore, type AccountPassword } from '../accounts/account.store.js';
import { ApiKeyStore } from '../api-keys/api-key.store.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { authSettings } from '../auth.settings.js';
import { AccountInputError } from '../errors/account-input.error.js';
import { UnauthenticatedError } from '../errors/unauthenticated.error.js';
import { SessionInsights } from '../sessions/session-insights.js';
import { FailureThrottle } from '../throttle/failure-throttle.js';
import { passwordResetTokens } from '../tokens/opaque-token.js';
import { PasswordHasher } from './password-hasher.js';
import { normalisePassword, PasswordPolicy } from './password-policy.js';
import { PasswordResetStore } from './password-reset.store.js';

const PATH = 'body.newPassword';

/**
 * Gives accounts new passwords. Whoever logged in with the old one is out then: in the transaction of
 * the change all sessions of the account end, but the one that made it, and codes of OAuth 2.0 and
 * reset tokens that were given out before are taken back. A log-in that was checked before it opens no
 * session after it. A reset ends the API keys of the account too, as whoever has got into it may have
 * made some; who changes a password that they know keeps theirs, and can look through them.
 */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly accounts: AccountStore,
    private readonly apiKeys: ApiKeyStore,
    private readonly resets: PasswordResetStore,
    private readonly passwords: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly throttle: FailureThrottle,
    private readonly sessions: SessionInsights,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /**
   * Changes the caller's own password.
   * @throws UnauthenticatedError AUTH_CREDENTIALS_INVALID when `current` is wrong; ThrottledError
   * @throws AccountInputError when the new password does not suit, or was used before
   */
  async change(
    { userId }: Principal,
    sessionId: string,
    { current, next }: { readonly current: string; readonly next: string },
  ): Promise<void> {
    const { loginFailuresPerClient: limit } = this.settings.get(authSettings);
    const key = { key: `password:user:${userId}`, limit, forgiving: true };
    const account = await this.throttle.attempt([key], async () => {
      const found = await this.accounts.passwordOf(userId);
      const matches = await this.passwords.matches(normalisePassword(current), found?.passwordHash);
      return matches ? found : undefined;
    });
    if (account === undefined) throw new UnauthenticatedError('AUTH_CREDENTIALS_INVALID');
    const accepted = await this.policy.accept(next, { email: account.email, path: PATH });
    await this.refuseUsedBefore(userId, account, accepted);
    const passwordHash = await this.passwords.hash(accepted);
    const ended = { exceptSessionId: sessionId, because: 'password' } as const;
    await this.sessions.endAll(userId, ended, async (manager) => {
      const replaced = await this.replace(manager, userId, account.passwordHash, passwordHash);
      // Somebody else has changed it in this moment: what was known of it is not true any more.
      if (!replaced) throw new UnauthenticatedError('AUTH_CREDENTIALS_INVALID');
      await this.resets.withdraw(manager, userId);
      await this.record(manager, userId, { how: 'by-the-user' });
    });
  }

  /**
   * Sets a password by a token that an administrator gave out, and uses the token up.
   * @throws UnauthenticatedError AUTH_RESET_TOKEN_INVALID; ThrottledError; AccountInputError like
   * `change`, which leaves the token good
   */
  async reset(token: string, next: string, address: string): Promise<void> {
    const { loginFailuresPerAddress: limit } = this.settings.get(authSettings);
    const key = { key: `reset:address:${clientKeyOf(address)}`, limit };
    const userId = await this.throttle.attempt([key], () => this.redeem(token, next));
    if (userId === undefined) throw new UnauthenticatedError('AUTH_RESET_TOKEN_INVALID');
  }

  private async redeem(token: string, next: string): Promise<string | undefined> {
    const tokenHash = passwordResetTokens.hashOf(token);
    if (tokenHash === undefined) return undefined;
    const userId = await this.resets.find(tokenHash, this.clock.now());
    const account = userId === undefined ? undefined : await this.accounts.passwordOf(userId);
    if (userId === undefined || account === undefined) return undefined;
    const accepted = await this.policy.accept(next, { email: account.email, path: PATH });
    await this.refuseUsedBefore(userId, account, accepted);
    const passwordHash = await this.passwords.hash(accepted);
    await this.sessions.endAll(userId, { because: 'password' }, async (manager) => {
      const replaced = await this.replace(manager, userId, account.passwordHash, passwordHash);
      const withdrawn = await this.resets.withdraw(manager, userId);
      const wasGood = withdrawn.some((hash) => hash.equals(tokenHash));
      if (!replaced || !wasGood) throw new UnauthenticatedError('AUTH_RESET_TOKEN_INVALID');
      const apiKeysEnded = await this.apiKeys.revokeAll(manager, userId, this.clock.now());
      await this.record(manager, userId, { how: 'by-reset', apiKeysEnded });
    });
    return userId;
  }

  private async refuseUsedBefore(
    userId: string,
    { passwordHash }: AccountPassword,
    accepted: string,
  ): Promise<void> {
    const { passwordHistoryCount } = this.settings.get(authSettings);
    const earlier = await this.accounts.earlierPasswordsOf(userId, passwordHistoryCount);
    for (const hash of [passwordHash, ...earlier]) {
      if (!(await this.passwords.matches(accepted, hash))) continue;
      throw new AccountInputError(
        'AUTH_PASSWORD_USED_BEFORE',
        PATH,
        'This account has, or had, this password; choose another one.',
      );
    }
  }

  /** @returns false when the password was changed meanwhile */
  private replace(
    manager: EntityManager,
    userId: string,
    before: string,
    after: string,
  ): Promise<boolean> {
    const { passwordHistoryCount: keep } = this.settings.get(authSettings);
    const historyId = newId(this.clock.nowMs());
    const change = { userId, before, after, historyId, keep };
    return this.accounts.changePassword(manager, change);
  }

  private record(
    manager: EntityManager,
    userId: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    const event = { type: 'password-changed', actorId: userId, userId, details };
    return this.audit.record(event, manager);
  }
}
