import { Injectable } from '@nestjs/common';
import { AccessControl, type PermissionGrant, type Principal } from '#libs/core';
import { matchesPath, type Segments, segmentsOf, WILDCARD } from './resource-path.js';

/**
 * Decides by looking at every grant of the principal, straight from the definition:
 *
 * 1. A grant applies when its resource pattern matches the path and its action is the one asked
 *    for or `*`. In a pattern `*` stands for one segment, and as the last for one or more.
 *    Segments and actions compare exactly, upper and lower case being different.
 * 2. If a grant that applies denies, the answer is no, however specific others are and wherever
 *    they come from (a role or the user).
 * 3. Otherwise the answer is yes if a grant that applies allows, and no if none does.
 *
 * A scope of the principal is asked in the same way, and both must say yes.
 *
 * The order of grants never matters. Tenant isolation is not decided here: queries carry the
 * organization. Costs O(grants × depth); a faster engine must give the same answers.
 */
@Injectable()
export class GrantAccessControl extends AccessControl {
  isAllowed(principal: Principal, resource: string, action: string): boolean {
    const path = segmentsOf(resource);
    const { grants, scope } = principal;
    return decide(grants, path, action) && (scope === undefined || decide(scope, path, action));
  }
}

function decide(grants: readonly PermissionGrant[], path: Segments, action: string): boolean {
  const applying = grants.filter(
    (grant) => actionFits(grant, action) && matchesPath(segmentsOf(grant.resource), path),
  );
  return applying.length > 0 && applying.every(({ effect }) => effect === 'allow');
}

function actionFits(grant: PermissionGrant, action: string): boolean {
  return grant.action === WILDCARD || grant.action === action;
}
