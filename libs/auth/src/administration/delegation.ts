import type { PermissionGrant, Principal } from '#libs/core';
import { type ActionScope, coversScope } from '../access/grant-coverage.js';
import { ForbiddenError } from '../errors/forbidden.error.js';

/** Whether the caller, by the credential that they use, may do everything that the grant stands for. */
export function covers({ grants, scope }: Principal, grant: ActionScope): boolean {
  return coversScope(grants, grant) && (scope === undefined || coversScope(scope, grant));
}

/**
 * The rule of delegation: nobody gives, takes or changes a permission that lies beyond their own.
 * So the owner of an organization cannot make an administrator of the platform, and somebody who
 * only manages users cannot disable those who may do more. A credential that is limited to a scope
 * passes on no more than that.
 * @throws ForbiddenError AUTH_GRANT_EXCEEDS_OWN that names the first permission beyond
 */
export function requireCoverage(caller: Principal, grants: readonly PermissionGrant[]): void {
  const beyond = grants.find((grant) => !covers(caller, grant));
  if (beyond !== undefined) {
    throw new ForbiddenError(
      'AUTH_GRANT_EXCEEDS_OWN',
      `You cannot pass on or change the permission ${beyond.action} on ${beyond.resource}: ` +
        'it goes beyond your own.',
    );
  }
}

/** The grants that give something; adding a denial needs no permission of one's own. */
export function allowing(grants: readonly PermissionGrant[]): PermissionGrant[] {
  return grants.filter(({ effect }) => effect === 'allow');
}
