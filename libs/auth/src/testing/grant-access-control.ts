import { AccessControl, type PermissionGrant, type Principal } from '#libs/core';
import { matchesPath, type Segments, segmentsOf, WILDCARD } from '../access/resource-path.js';

/**
 * The reference: looks at every grant of the principal, straight from the definition:
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
 * organization. Costs O(grants × depth); the engine in use must give the same answers.
 */
export class GrantAccessControl extends AccessControl {
  isAllowed(principal: Principal, resource: string, action: string): boolean {
    const path = segmentsOf(resource);
    const { grants, scope } = principal;
    return decide(grants, path, action) && (scope === undefined || decide(scope, path, action));
  }
}

function decide(grants: readonly PermissionGrant[], path: Segments, action: string): boolean {
  return decidingGrant(grants, path, action)?.effect === 'allow';
}

/** The most specific denial that applies, else the most specific permission; undefined: none applies. */
export function decidingGrant(
  grants: readonly PermissionGrant[],
  path: Segments,
  action: string,
): PermissionGrant | undefined {
  const applying = grants
    .filter((grant) => actionFits(grant, action) && matchesPath(segmentsOf(grant.resource), path))
    .toSorted(moreSpecificFirst);
  return applying.find(({ effect }) => effect === 'deny') ?? applying[0];
}

function actionFits(grant: PermissionGrant, action: string): boolean {
  return grant.action === WILDCARD || grant.action === action;
}

/** Both apply to the same path: where they differ first, one has a wildcard and the other not, or a longer one. */
function moreSpecificFirst(one: PermissionGrant, other: PermissionGrant): number {
  const [left, right] = [segmentsOf(one.resource), segmentsOf(other.resource)];
  for (const [index, segment] of left.entries()) {
    const [own, its] = [
      vagueness(left, index, segment),
      vagueness(right, index, right[index] ?? ''),
    ];
    if (own !== its) return own - its;
  }
  return Number(one.action === WILDCARD) - Number(other.action === WILDCARD);
}

function vagueness(pattern: Segments, index: number, segment: string): number {
  if (segment !== WILDCARD) return 0;
  return index < pattern.length - 1 ? 1 : 2;
}
