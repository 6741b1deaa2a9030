import { Injectable } from '@nestjs/common';
import type { PermissionGrant, Principal } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { AccountInputError } from '../errors/account-input.error.js';
import { lockedSessions } from '../sessions/session.store.js';

/** A user as their organization sees them. */
export interface UserView {
  readonly id: string;
  readonly email: string;
  /** A service acts by a client of OAuth 2.0 and cannot log in. */
  readonly kind: 'person' | 'service';
  readonly status: 'active' | 'disabled';
  /** Names of roles. */
  readonly roles: readonly string[];
  /** Grants of this user alone, beside those of the roles. */
  readonly grants: readonly PermissionGrant[];
  readonly createdAt: Date;
}

/** A role that can be given, with what it gives. */
export interface AssignableRole {
  readonly id: string;
  readonly name: string;
  readonly grants: readonly PermissionGrant[];
}

const SELECT_USERS = `
  SELECT account.id, account.email, account.kind, account.created_at AS "createdAt",
    CASE WHEN account.disabled_at IS NULL THEN 'active' ELSE 'disabled' END AS status,
    ARRAY(
      SELECT role.name FROM user_role held JOIN role ON role.id = held.role_id
      WHERE held.user_id = account.id ORDER BY role.name
    ) AS roles,
    ARRAY(
      SELECT jsonb_build_object('resource', resource, 'action', action, 'effect', effect)
      FROM permission_grant WHERE user_id = account.id ORDER BY resource, action, effect
    ) AS grants
  FROM user_account account`;

/** The SQL of the users of an organization. Every statement carries the organization. */
@Injectable()
export class UserStore {
  constructor(private readonly dataSource: DataSource) {}

  list(caller: Principal, limit: number, afterId?: string): Promise<UserView[]> {
    return this.dataSource.query<UserView[]>(
      `${SELECT_USERS}
       WHERE account.organization_id = $1 AND ($2::uuid IS NULL OR account.id > $2)
       ORDER BY account.id LIMIT $3`,
      [caller.organizationId, afterId ?? null, limit],
    );
  }

  /** Whether the user is of the caller's organization. */
  async exists(caller: Principal, userId: string): Promise<boolean> {
    const found = await this.dataSource.query<unknown[]>(
      'SELECT 1 FROM user_account WHERE id = $1 AND organization_id = $2',
      [userId, caller.organizationId],
    );
    return found.length > 0;
  }

  /** One user, locked until the transaction ends. */
  async lock(
    manager: EntityManager,
    caller: Principal,
    userId: string,
  ): Promise<UserView | undefined> {
    const [user] = await manager.query<UserView[]>(
      `${SELECT_USERS} WHERE account.id = $1 AND account.organization_id = $2 FOR UPDATE OF account`,
      [userId, caller.organizationId],
    );
    return user;
  }

  /** @returns whether the email was free */
  async insert(
    manager: EntityManager,
    caller: Principal,
    user: { readonly id: string; readonly email: string; readonly createdAt: Date },
    passwordHash: string,
  ): Promise<boolean> {
    const created = await manager.query<unknown[]>(
      `INSERT INTO user_account (id, organization_id, email, password_hash, created_at)
       VALUES ($1, $2, $3, $4, $5) ON CONFLICT (email) DO NOTHING RETURNING id`,
      [user.id, caller.organizationId, user.email, passwordHash, user.createdAt],
    );
    return created.length > 0;
  }

  /** The roles of these names that the organization can give: its own and the built-in ones. */
  assignableRoles(
    manager: EntityManager,
    caller: Principal,
    names: readonly string[],
  ): Promise<AssignableRole[]> {
    // The locks keep the roles from being deleted before the commit.
    return manager.query<AssignableRole[]>(
      `SELECT role.id, role.name,
         ARRAY(
           SELECT jsonb_build_object('resource', resource, 'action', action, 'effect', effect)
           FROM permission_grant WHERE role_id = role.id
         ) AS grants
       FROM role
       WHERE role.name = ANY($1) AND (role.organization_id = $2 OR role.organization_id IS NULL)
       ORDER BY role.id FOR KEY SHARE`,
      [names, caller.organizationId],
    );
  }

  /**
   * As `assignableRoles`, for names that somebody has given in the field `roles` of a body.
   * @throws AccountInputError AUTH_ROLE_UNKNOWN
   */
  async rolesNamed(
    manager: EntityManager,
    caller: Principal,
    names: readonly string[],
  ): Promise<AssignableRole[]> {
    const roles = await this.assignableRoles(manager, caller, names);
    const known = new Set(roles.map(({ name }) => name));
    const unknown = names.findIndex((name) => !known.has(name));
    if (unknown < 0) return roles;
    const message = `There is no role "${names[unknown]}".`;
    throw new AccountInputError('AUTH_ROLE_UNKNOWN', `body.roles[${unknown}]`, message);
  }

  /** All grants that a user has, by roles and of their own. */
  async grantsOf(
    manager: EntityManager,
    caller: Principal,
    user: UserView,
  ): Promise<PermissionGrant[]> {
    const roles = await this.assignableRoles(manager, caller, user.roles);
    return [...grantsOfRoles(roles), ...user.grants];
  }

  async replaceRoles(
    manager: EntityManager,
    userId: string,
    roles: readonly AssignableRole[],
  ): Promise<void> {
    const ids = roles.map(({ id }) => id);
    await manager.query('DELETE FROM user_role WHERE user_id = $1 AND role_id <> ALL($2::uuid[])', [
      userId,
      ids,
    ]);
    await manager.query(
      `INSERT INTO user_role (user_id, role_id) SELECT $1, unnest($2::uuid[])
       ON CONFLICT DO NOTHING`,
      [userId, ids],
    );
  }

  /** Disables a user and ends their sessions, or enables them again. */
  async setDisabled(
    manager: EntityManager,
    userId: string,
    disabled: boolean,
    now: Date,
  ): Promise<void> {
    await manager.query('UPDATE user_account SET disabled_at = $2 WHERE id = $1', [
      userId,
      disabled ? now : null,
    ]);
    if (!disabled) return;
    await manager.query(
      `UPDATE user_session SET revoked_at = $2, revoked_because = 'disabled'
       WHERE id IN (${lockedSessions('user_id = $1 AND revoked_at IS NULL')})`,
      [userId, now],
    );
  }
}

/** What the roles give together. */
export function grantsOfRoles(roles: readonly AssignableRole[]): PermissionGrant[] {
  return roles.flatMap(({ grants }) => grants);
}
