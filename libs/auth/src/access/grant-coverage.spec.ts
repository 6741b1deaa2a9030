import { describe, expect, it } from '@jest/globals';
import { grant, principalWith } from '../testing/access-control.contract.js';
import { RandomGrants } from '../testing/random-grants.js';
import { seededRandom } from '../testing/random.js';
import { GrantAccessControl } from '../testing/grant-access-control.js';
import { coversScope } from './grant-coverage.js';
import { matchesPath, segmentsOf } from './resource-path.js';

describe('coversScope', () => {
  it.each([
    [['allow source:* *'], 'source:notes', 'read', true],
    [['allow source:* *'], 'source:*', '*', true],
    [['allow source:* read'], 'source:*', '*', false],
    [['allow source:* *'], '*', 'read', false],
    [['allow source:* *'], 'source', 'create', false],
    [['allow * *'], 'jobs', 'manage', true],
    [['allow source:* *', 'deny source:secret *'], 'source:*', 'read', false],
    [['allow source:* *', 'deny source:secret *'], 'source:notes', 'read', true],
    [['allow source:* *', 'deny source:secret delete'], 'source:*', 'read', true],
    [['allow source:* *', 'deny source:secret delete'], 'source:*', '*', false],
    [['deny source:secret read'], 'source:secret', 'read', false],
    [[], 'source', 'read', false],
  ])('given %j, %s %s is covered: %s', (held, resource, action, covered) => {
    const grants = held.map((text) => grant(text));
    expect(coversScope(grants, { resource, action })).toBe(covered);
  });

  it('covers only what is allowed path by path, for random grants', () => {
    const random = new RandomGrants(seededRandom(4));
    const access = new GrantAccessControl();
    let seen = 0;
    for (let round = 0; round < 20_000; round += 1) {
      const held = random.grants(4);
      const scope = random.grant();
      if (!coversScope(held, scope)) continue;
      const path = random.path();
      const action = scope.action === '*' ? random.action() : scope.action;
      if (!matchesPath(segmentsOf(scope.resource), segmentsOf(path))) continue;
      seen += 1;
      expect(access.isAllowed(principalWith(held), path, action)).toBe(true);
    }
    expect(seen).toBeGreaterThan(200);
  });
});
