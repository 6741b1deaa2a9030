import { Injectable } from '@nestjs/common';
import { SettingsStore } from '#libs/config';
import { Clock, newId, type PermissionGrant, type Principal } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { AuditTrail } from '../audit/audit-trail.js';
import { authSettings } from '../auth.settings.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { AccountNotFoundError } from '../errors/account-not-found.error.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import { PasswordPolicy } from '../passwords/password-policy.js';
import { type PasswordResetToken, PasswordResetStore } from '../passwords/password-reset.store.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { SessionInsights } from '../sessions/session-insights.js';
import type { LiveSessionRow } from '../sessions/session.store.js';
import { passwordResetTokens } from '../tokens/opaque-token.js';
import { allowing, requireCoverage } from './delegation.js';
import { GrantStore } from './grant.store.js';
import { type AssignableRole, grantsOfRoles, UserStore, type UserView } from './user.store.js';

export interface NewUser {
  /** In lower case, as `emailSchema` makes it. */
  readonly email: string;
  readonly password: string;
  /** Names of roles. */
  readonly roles: readonly string[];
}

export interface UserChange {
  readonly disabled?: boolean | undefined;
  /** Names of roles; replaces those the user has. */
  readonly roles?: readonly string[] | undefined;
}

/**
 * The users of the caller's organization. Users of other organizations do not exist here.
 *
 * Nobody changes themselves: whoever manages users stays able to, so an organization cannot lock
 * itself out by one call. What is changed holds from the user's next request.
 */
@Injectable()
export class UsersService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly users: UserStore,
    private readonly grants: GrantStore,
    private readonly passwords: PasswordHasher,
    private readonly policy: PasswordPolicy,
    private readonly principals: PrincipalCache,
    private readonly sessions: SessionInsights,
    private readonly resets: PasswordResetStore,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
    private readonly settings: SettingsStore,
  ) {}

  /** At most `limit` users with ids after `afterId`, in the order of their creation. */
  list(caller: Principal, limit: number, afterId?: string): Promise<UserView[]> {
    return this.users.list(caller, limit, afterId);
  }

  /**
   * @throws AccountInputError for an unsuitable password or an unknown role
   * @throws AccountConflictError AUTH_EMAIL_UNAVAILABLE, also when another organization has it
   * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN
   */
  async create(caller: Principal, { email, password, roles }: NewUser): Promise<UserView> {
    const accepted = await this.policy.accept(password, { email });
    const passwordHash = await this.passwords.hash(accepted);
    const user = { id: newId(this.clock.nowMs()), email, createdAt: this.clock.now() };
    return this.dataSource.transaction(async (manager) => {
      const given = await this.users.rolesNamed(manager, caller, roles);
      requireCoverage(caller, allowing(grantsOfRoles(given)));
      if (!(await this.users.insert(manager, caller, user, passwordHash))) {
        throw new AccountConflictError(
          'AUTH_EMAIL_UNAVAILABLE',
          'No account can be made with this email.',
        );
      }
      await this.users.replaceRoles(manager, user.id, given);
      const details = { roles: namesOf(given) };
      await this.audit.record({ type: 'user-created', userId: user.id, details }, manager);
      return { ...user, kind: 'person', status: 'active', roles: namesOf(given), grants: [] };
    });
  }

  /**
   * Disables or enables a user, or gives them other roles.
   * @throws AccountNotFoundError, AccountConflictError AUTH_SELF_CHANGE, AccountInputError for an
   * unknown role, ForbiddenError when the user or a role goes beyond the caller's permissions
   */
  async change(caller: Principal, userId: string, change: UserChange): Promise<UserView> {
    const changed = await this.dataSource.transaction(async (manager) => {
      let user = await this.lockOther(manager, caller, userId);
      const { roles, disabled } = change;
      if (roles !== undefined) {
        const given = await this.users.rolesNamed(manager, caller, roles);
        requireCoverage(caller, allowing(grantsOfRoles(given)));
        await this.users.replaceRoles(manager, userId, given);
        const details = { before: user.roles, after: namesOf(given) };
        await this.audit.record({ type: 'user-roles-changed', userId, details }, manager);
        user = { ...user, roles: namesOf(given) };
      }
      if (disabled !== undefined && disabled !== (user.status === 'disabled')) {
        await this.users.setDisabled(manager, userId, disabled, this.clock.now());
        const type = disabled ? 'user-disabled' : 'user-enabled';
        await this.audit.record({ type, userId }, manager);
        user = { ...user, status: disabled ? 'disabled' : 'active' };
      }
      return user;
    });
    await this.principals.forgetUser(userId);
    return changed;
  }

  /** Replaces the grants of one user alone. Throws like `change`. */
  async replaceGrants(
    caller: Principal,
    userId: string,
    grants: readonly PermissionGrant[],
  ): Promise<UserView> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const user = await this.lockOther(manager, caller, userId);
      requireCoverage(caller, allowing(grants));
      const kept = await this.grants.replace(manager, { userId }, grants);
      const details = { before: user.grants, after: kept };
      await this.audit.record({ type: 'user-grants-changed', userId, details }, manager);
      return { ...user, grants: kept };
    });
    await this.principals.forgetUser(userId);
    return changed;
  }

  /**
   * A token by which a user sets a new password once, to be handed to them. It takes the place of one
   * that was given out before. Throws like `change`, and AUTH_SERVICE_ACCOUNT.
   */
  async issuePasswordReset(caller: Principal, userId: string): Promise<PasswordResetToken> {
    const { token, tokenHash } = passwordResetTokens.issue();
    const { passwordResetTtlSeconds } = this.settings.get(authSettings);
    const expiresAt = new Date(this.clock.nowMs() + passwordResetTtlSeconds * 1000);
    await this.dataSource.transaction(async (manager) => {
      const { kind } = await this.lockOther(manager, caller, userId);
      if (kind === 'service') {
        throw new AccountConflictError('AUTH_SERVICE_ACCOUNT', 'A service has no password.');
      }
      await this.resets.replace(manager, { userId, tokenHash, expiresAt });
      const details = { expiresAt };
      await this.audit.record({ type: 'password-reset-issued', userId, details }, manager);
    });
    return { token, expiresAt };
  }

  /** Ends all sessions of a user. Throws like `change`. */
  async endSessions(caller: Principal, userId: string): Promise<number> {
    await this.dataSource.transaction((manager) => this.lockOther(manager, caller, userId));
    return this.sessions.endAll(userId, { by: caller.userId });
  }

  /** The live sessions of a user of the organization. @throws AccountNotFoundError */
  async listSessions(
    caller: Principal,
    userId: string,
    limit: number,
    afterId?: string,
  ): Promise<LiveSessionRow[]> {
    if (!(await this.users.exists(caller, userId))) throw new AccountNotFoundError('user');
    return this.sessions.list(userId, limit, afterId);
  }

  /** Locks a user whom the caller may change: another one, with no permission beyond theirs. */
  private async lockOther(
    manager: EntityManager,
    caller: Principal,
    userId: string,
  ): Promise<UserView> {
    const user = await this.users.lock(manager, caller, userId);
    if (user === undefined) throw new AccountNotFoundError('user');
    if (userId === caller.userId) {
      throw new AccountConflictError('AUTH_SELF_CHANGE', 'Nobody can change their own account.');
    }
    requireCoverage(caller, await this.users.grantsOf(manager, caller, user));
    return user;
  }
}

function namesOf(roles: readonly AssignableRole[]): string[] {
  return roles.map(({ name }) => name).sort();
}
