import type { PermissionGrant, Principal } from '#libs/core';
import { TrieAccessControl } from '#libs/auth';
import { GrantAccessControl } from '../../libs/auth/src/testing/grant-access-control.js';
import { nsPerCall } from '../support/ns-per-call.js';

const GRANTS = [10, 100, 1_000];
const MANY_GRANTS = [10, 100, 1_000, 10_000];
const DEPTHS = [1, 2, 4, 8, 16];
const ACTIONS = ['read', 'write', 'delete', 'manage'];
const PATHS = 512;

/** A row of the table of checks. */
export interface CheckCost {
  readonly grants: number;
  /** A permission that a route names, as its guard asks. */
  readonly routeNs: number;
  /** A path that is put together from a parameter, one of many. */
  readonly pathNs: number;
  /** The same for a caller that an API key limits to some scopes. */
  readonly scopedNs: number;
  /** What the first check of a set costs, once for all who have it. */
  readonly compileUs: number;
  /** Looking at every grant. */
  readonly referenceNs: number;
}

export interface ScalingCost {
  readonly grants: number;
  readonly depth: number;
  readonly ns: number;
}

/** Grants on sources by name, some on those of any kind and some denials, as an organization has them. */
function grantsOf(count: number, depth = 2): PermissionGrant[] {
  return Array.from({ length: count }, (_, index) => ({
    resource:
      depth > 1 && index % 10 === 9
        ? pathOf(index, depth).replace(/^source/, '*')
        : pathOf(index, depth),
    action: index % 5 === 4 ? '*' : (ACTIONS[index % ACTIONS.length] ?? 'read'),
    effect: index % 7 === 6 ? 'deny' : 'allow',
  }));
}

function pathOf(number: number, depth: number): string {
  return depth === 1
    ? `source-${number}`
    : `source:${'part:'.repeat(depth - 2)}${String(number).padStart(6, '0')}`;
}

function principalOf(grants: PermissionGrant[], scope?: PermissionGrant[]): Principal {
  const principal = { userId: 'u', organizationId: 'o', email: 'u@example.com', roles: [], grants };
  return scope === undefined ? principal : { ...principal, scope };
}

/** Half of them have grants. */
function pathsFor(count: number, depth: number): string[] {
  return Array.from({ length: PATHS }, (_, index) =>
    pathOf(Math.floor((index * count * 2) / PATHS), depth),
  );
}

export function checkCosts(): CheckCost[] {
  return GRANTS.map((count) => {
    const grants = grantsOf(count);
    const access = new TrieAccessControl();
    const reference = new GrantAccessControl();
    const principal = principalOf(grants);
    const scoped = principalOf(grants, [{ resource: 'source:*', action: 'read', effect: 'allow' }]);
    const paths = pathsFor(count, 2);
    const onRoute = access.questionOf('perf:cache', 'read');
    const pathAt = (number: number): string => paths[number % PATHS] ?? '';
    return {
      grants: count,
      routeNs: nsPerCall(() => onRoute(principal)),
      pathNs: nsPerCall((number) => access.isAllowed(principal, pathAt(number), 'read')),
      scopedNs: nsPerCall((number) => access.isAllowed(scoped, pathAt(number), 'read')),
      compileUs: compileUs(grants),
      referenceNs: nsPerCall((number) => reference.isAllowed(principal, pathAt(number), 'read')),
    };
  });
}

/** With an array that is new each time, and an access control that has seen none. */
function compileUs(grants: PermissionGrant[]): number {
  const rounds = Math.ceil(20_000 / grants.length);
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < 5; round += 1) {
    const cpu = process.cpuUsage();
    for (let time = 0; time < rounds; time += 1) {
      new TrieAccessControl().isAllowed(principalOf([...grants]), 'source:1', 'read');
    }
    const { user, system } = process.cpuUsage(cpu);
    least = Math.min(least, (user + system) / rounds);
  }
  return least;
}

/** Time against the number of grants, which is flat, and against the depth, which is a line. */
export function scalingCosts(): ScalingCost[] {
  const cost = (grants: number, depth: number): ScalingCost => {
    const access = new TrieAccessControl();
    const principal = principalOf(grantsOf(grants, depth));
    const paths = pathsFor(grants, depth);
    const ns = nsPerCall((number) =>
      access.isAllowed(principal, paths[number % PATHS] ?? '', 'read'),
    );
    return { grants, depth, ns };
  };
  return [
    ...MANY_GRANTS.map((grants) => cost(grants, 4)),
    ...DEPTHS.map((depth) => cost(1_000, depth)),
  ];
}
