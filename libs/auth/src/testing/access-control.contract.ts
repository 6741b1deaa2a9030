import { describe, expect, it } from '@jest/globals';
import type { AccessControl, PermissionGrant, Principal } from '#libs/core';

/** `allow source:* read`, as a grant. */
export function grant(text: string): PermissionGrant {
  const [effect, resource = '', action = ''] = text.split(' ');
  return { effect: effect === 'deny' ? 'deny' : 'allow', resource, action };
}

/** A principal with these grants. */
export function principalWith(grants: readonly PermissionGrant[]): Principal {
  return { userId: 'u', organizationId: 'o', email: 'u@example.com', roles: [], grants };
}

/** What every `AccessControl` must do. */
export function describeAccessControl(name: string, make: () => AccessControl): void {
  const cases: readonly [grants: string[], resource: string, action: string, allowed: boolean][] = [
    [[], 'source:notes', 'read', false],
    [['allow source:notes read'], 'source:notes', 'read', true],
    [['allow source:notes read'], 'source:notes', 'write', false],
    [['allow source:notes read'], 'source:other', 'read', false],
    [['allow source:notes read'], 'source', 'read', false],
    [['allow source:notes read'], 'source:notes:entries', 'read', false],
    [['allow source read'], 'source:notes', 'read', false],
    // Wildcards
    [['allow * *'], 'source', 'read', true],
    [['allow * *'], 'source:notes:entries', 'manage', true],
    [['allow source:* read'], 'source:notes', 'read', true],
    [['allow source:* read'], 'source:notes:entries', 'read', true],
    [['allow source:* read'], 'source', 'read', false],
    [['allow source:*:entries read'], 'source:notes:entries', 'read', true],
    [['allow source:*:entries read'], 'source:entries', 'read', false],
    [['allow source:*:entries read'], 'source:a:b:entries', 'read', false],
    [['allow *:notes read'], 'source:notes', 'read', true],
    [['allow *:notes read'], 'notes', 'read', false],
    [['allow source:notes *'], 'source:notes', 'delete', true],
    // Denials
    [['allow source:* *', 'deny source:secret *'], 'source:secret', 'read', false],
    [['allow source:* *', 'deny source:secret *'], 'source:notes', 'read', true],
    [['allow source:secret read', 'deny source:* read'], 'source:secret', 'read', false],
    [['allow source:* *', 'deny source:* delete'], 'source:notes', 'delete', false],
    [['allow source:* *', 'deny source:* delete'], 'source:notes', 'read', true],
    [['deny source:secret read'], 'source:notes', 'read', false],
    [['allow source:notes read', 'deny source:notes read'], 'source:notes', 'read', false],
    // Exactness
    [['allow Source:notes read'], 'source:notes', 'read', false],
    [['allow source:notes Read'], 'source:notes', 'read', false],
    [['allow source:note read'], 'source:notes', 'read', false],
    [['allow source:notes read'], 'source:*', 'read', false],
    [['allow source:* read'], 'source:*', 'read', true],
    [['allow source:notes read'], 'source:notes', '*', false],
  ];

  describe(name, () => {
    const access = make();

    it.each(cases)('given %j, %s %s is allowed: %s', (grants, resource, action, allowed) => {
      const principal = principalWith(grants.map((text) => grant(text)));
      expect(access.isAllowed(principal, resource, action)).toBe(allowed);
    });

    it('does not depend on the order of grants', () => {
      const grants = ['allow source:* *', 'deny source:secret *', 'allow source:secret read'].map(
        (text) => grant(text),
      );
      for (const order of [grants, grants.toReversed()]) {
        expect(access.isAllowed(principalWith(order), 'source:secret', 'read')).toBe(false);
        expect(access.isAllowed(principalWith(order), 'source:notes', 'read')).toBe(true);
      }
    });
  });
}
