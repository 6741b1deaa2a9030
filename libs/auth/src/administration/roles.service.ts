import { Injectable } from '@nestjs/common';
import { Clock, newId, type PermissionGrant, type Principal } from '#libs/core';
import { DataSource, type EntityManager } from 'typeorm';
import { BUILT_IN_ROLE_IDS } from '../accounts/built-in-roles.js';
import { Role } from '../entities/role.entity.js';
import { AccountConflictError } from '../errors/account-conflict.error.js';
import { AccountNotFoundError } from '../errors/account-not-found.error.js';
import { ForbiddenError } from '../errors/forbidden.error.js';
import { AuditTrail } from '../audit/audit-trail.js';
import { PrincipalCache } from '../principals/principal.cache.js';
import { allowing, requireCoverage } from './delegation.js';
import { GrantStore } from './grant.store.js';

/** A role as its organization sees it. */
export interface RoleView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Built-in roles are shared by all organizations and cannot be changed. */
  readonly builtIn: boolean;
  readonly grants: readonly PermissionGrant[];
}

export interface NewRole {
  readonly name: string;
  readonly description: string;
  readonly grants: readonly PermissionGrant[];
}

/**
 * The roles of the caller's organization, and the built-in ones. Roles of other organizations do
 * not exist here. What is changed holds from the next request of those who have the role.
 */
@Injectable()
export class RolesService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly grants: GrantStore,
    private readonly principals: PrincipalCache,
    private readonly audit: AuditTrail,
    private readonly clock: Clock,
  ) {}

  /** At most `limit` roles with ids after `afterId`, in their order; built-in ones come first. */
  list(caller: Principal, limit: number, afterId?: string): Promise<RoleView[]> {
    return this.dataSource.query<RoleView[]>(
      `SELECT role.id, role.name, role.description, role.organization_id IS NULL AS "builtIn",
         ARRAY(
           SELECT jsonb_build_object('resource', resource, 'action', action, 'effect', effect)
           FROM permission_grant WHERE role_id = role.id ORDER BY resource, action, effect
         ) AS grants
       FROM role
       WHERE (role.organization_id = $1 OR role.organization_id IS NULL)
         AND ($2::uuid IS NULL OR role.id > $2)
       ORDER BY role.id LIMIT $3`,
      [caller.organizationId, afterId ?? null, limit],
    );
  }

  /**
   * @throws AccountConflictError AUTH_ROLE_EXISTS when the name is taken
   * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN
   */
  async create(caller: Principal, { name, description, grants }: NewRole): Promise<RoleView> {
    requireCoverage(caller, allowing(grants));
    const id = newId(this.clock.nowMs());
    return this.dataSource.transaction(async (manager) => {
      const created = Object.hasOwn(BUILT_IN_ROLE_IDS, name)
        ? []
        : await manager.query<unknown[]>(
            `INSERT INTO role (id, organization_id, name, description, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (organization_id, name) DO NOTHING RETURNING id`,
            [id, caller.organizationId, name, description, this.clock.now()],
          );
      if (created.length === 0) {
        throw new AccountConflictError('AUTH_ROLE_EXISTS', `There is a role "${name}" already.`);
      }
      const kept = await this.grants.replace(manager, { roleId: id }, grants);
      await this.record(manager, 'role-created', id, { name, grants: kept });
      return { id, name, description, builtIn: false, grants: kept };
    });
  }

  /**
   * Replaces all grants of a role.
   * @throws AccountNotFoundError, or ForbiddenError for a built-in role or grants beyond one's own
   */
  async replaceGrants(
    caller: Principal,
    roleId: string,
    grants: readonly PermissionGrant[],
  ): Promise<RoleView> {
    const changed = await this.dataSource.transaction(async (manager) => {
      const role = await this.lockOwn(manager, caller, roleId);
      const before = await this.grants.of(manager, { roleId });
      requireCoverage(caller, [...before, ...allowing(grants)]);
      const { id, name, description } = role;
      const kept = await this.grants.replace(manager, { roleId }, grants);
      await this.record(manager, 'role-grants-changed', id, { name, before, after: kept });
      return { id, name, description, builtIn: false, grants: kept };
    });
    await this.principals.forgetRole();
    return changed;
  }

  /** Deletes a role and takes it from everybody who has it. Throws like `replaceGrants`. */
  async delete(caller: Principal, roleId: string): Promise<void> {
    await this.dataSource.transaction(async (manager) => {
      const { name } = await this.lockOwn(manager, caller, roleId);
      const grants = await this.grants.of(manager, { roleId });
      requireCoverage(caller, grants);
      await manager.getRepository(Role).delete({ id: roleId });
      await this.record(manager, 'role-deleted', roleId, { name, grants });
    });
    await this.principals.forgetRole();
  }

  private record(
    manager: EntityManager,
    type: string,
    id: string,
    details: Readonly<Record<string, unknown>>,
  ): Promise<void> {
    return this.audit.record({ type, target: { kind: 'role', id }, details }, manager);
  }

  private async lockOwn(manager: EntityManager, caller: Principal, id: string): Promise<Role> {
    if (Object.values<string>(BUILT_IN_ROLE_IDS).includes(id)) {
      throw new ForbiddenError('AUTH_ROLE_BUILT_IN', 'Built-in roles cannot be changed.');
    }
    const role = await manager.getRepository(Role).findOne({
      where: { id, organizationId: caller.organizationId },
      lock: { mode: 'pessimistic_write' },
    });
    if (role === null) throw new AccountNotFoundError('role');
    return role;
  }
}
