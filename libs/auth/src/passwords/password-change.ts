import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId, type Principal } from '#libs/core';
import { clientKeyOf } from '#libs/http';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountStore, type AccountPassword } from '../accounts/account.store.js';
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
 * Gives accounts new passwords. Whoever knew the old one is out then: all sessions of the account end,
 * but the one that made the change.
 */
@Injectable()
export class PasswordChange {
  constructor(
    private readonly dataSource: DataSource,
    private readonly accounts: AccountStore,
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
    await this.dataSource.transaction((manager) =>
      this.replace(manager, userId, account.passwordHash, passwordHash, 'by-the-user'),
    );
    await this.sessions.endAll(userId, { exceptSessionId: sessionId, because: 'password' });
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
    await this.sessions.endAll(userId, { because: 'password' });
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
    return this.dataSource.transaction(async (manager) => {
      if (!(await this.resets.use(manager, tokenHash))) return undefined;
      await this.replace(manager, userId, account.passwordHash, passwordHash, 'by-reset');
      return userId;
    });
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

  private async replace(
    manager: EntityManager,
    userId: string,
    before: string,
    after: string,
    how: 'by-the-user' | 'by-reset',
  ): Promise<void> {
    const { passwordHistoryCount } = this.settings.get(authSettings);
    const historyId = newId(this.clock.nowMs());
    const replaced = await this.accounts.changePassword(manager, {
      userId,
      before,
      after,
      historyId,
      keep: passwordHistoryCount,
    });
    // Somebody else has changed it in this moment: what was known of it is not true any more.
    if (!replaced) throw new UnauthenticatedError('AUTH_CREDENTIALS_INVALID');
    const event = { type: 'password-changed', actorId: userId, userId, details: { how } };
    await this.audit.record(event, manager);
  }
}
