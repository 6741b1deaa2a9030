import { Injectable } from '@nestjs/common';
import { newId, type PermissionGrant } from '#libs/core';
import type { EntityManager } from 'typeorm';
import { Grant } from '../entities/grant.entity.js';

/** Whose grants: a role's or a user's. */
export type GrantSubject = { readonly roleId: string } | { readonly userId: string };

/** Reads and replaces the grants of one subject inside a transaction of its caller. */
@Injectable()
export class GrantStore {
  of(manager: EntityManager, subject: GrantSubject): Promise<PermissionGrant[]> {
    return manager.getRepository(Grant).find({
      select: { resource: true, action: true, effect: true },
      where: subject,
      order: { resource: 'ASC', action: 'ASC', effect: 'ASC' },
    });
  }

  /** @returns the grants as they are now: each once */
  async replace(
    manager: EntityManager,
    subject: GrantSubject,
    given: readonly PermissionGrant[],
  ): Promise<PermissionGrant[]> {
    const grants = distinct(given);
    const repository = manager.getRepository(Grant);
    await repository.delete(subject);
    if (grants.length === 0) return grants;
    await repository.insert(
      grants.map(({ resource, action, effect }) => ({
        id: newId(),
        roleId: null,
        userId: null,
        ...subject,
        resource,
        action,
        effect,
      })),
    );
    return grants;
  }
}

function distinct(grants: readonly PermissionGrant[]): PermissionGrant[] {
  const byText = new Map(
    grants.map((grant) => [`${grant.effect} ${grant.resource} ${grant.action}`, grant]),
  );
  return [...byText.values()];
}
