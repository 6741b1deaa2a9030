import type { PermissionGrant } from '#libs/core';
import { coversPattern, overlaps, segmentsOf, WILDCARD } from './resource-path.js';

/** Something to do: an action on all that a pattern matches. */
export type ActionScope = Pick<PermissionGrant, 'resource' | 'action'>;

/**
 * Whether somebody with `held` may do everything that `scope` stands for: one of the allowing
 * grants covers all of it and no denial touches it. Errs towards no: a scope that only several
 * grants together cover counts as not covered.
 */
export function coversScope(held: readonly PermissionGrant[], scope: ActionScope): boolean {
  const wanted = segmentsOf(scope.resource);
  let covered = false;
  for (const grant of held) {
    const own = segmentsOf(grant.resource);
    if (grant.effect === 'deny') {
      const actionsMeet =
        grant.action === WILDCARD || scope.action === WILDCARD || grant.action === scope.action;
      if (actionsMeet && overlaps(own, wanted)) return false;
    } else if (!covered) {
      const actionCovered = grant.action === WILDCARD || grant.action === scope.action;
      covered = actionCovered && coversPattern(own, wanted);
    }
  }
  return covered;
}
