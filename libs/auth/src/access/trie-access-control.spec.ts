import { describe, expect, it } from '@jest/globals';
import type { Principal } from '#libs/core';
import { describeAccessControl, grant, principalWith } from '../testing/access-control.contract.js';
import { GrantAccessControl } from '../testing/grant-access-control.js';
import { RandomGrants } from '../testing/random-grants.js';
import { seededRandom } from '../testing/random.js';
import { TrieAccessControl } from './trie-access-control.js';

describeAccessControl('TrieAccessControl', () => new TrieAccessControl());
describeAccessControl('GrantAccessControl, the reference', () => new GrantAccessControl());

function scoped(grants: readonly string[], scope: readonly string[]): Principal {
  return {
    ...principalWith(grants.map((text) => grant(text))),
    scope: scope.map((text) => grant(text)),
  };
}

describe('TrieAccessControl', () => {
  it('agrees with the reference on what random principals with a scope may do', () => {
    const random = new RandomGrants(seededRandom(6));
    const [access, reference] = [new TrieAccessControl(), new GrantAccessControl()];
    let allowed = 0;
    for (let round = 0; round < 10_000; round += 1) {
      const principal: Principal = { ...principalWith(random.grants(5)), scope: random.grants(3) };
      const [path, action] = [random.path(), random.action()];
      const expected = reference.isAllowed(principal, path, action);
      expect(access.isAllowed(principal, path, action)).toBe(expected);
      expect(access.questionOf(path, action)(principal)).toBe(expected);
      expect(access.explain(principal, path, action).allowed).toBe(expected);
      allowed += Number(expected);
    }
    expect(allowed).toBeGreaterThan(100);
  });

  it.each([
    [['allow source:* read'], undefined, 'granted', 'allow source:* read'],
    [['allow source:* read', 'allow source:notes *'], undefined, 'granted', 'allow source:notes *'],
    [
      ['allow * *', 'deny source:* *', 'deny source:* read'],
      undefined,
      'denied',
      'deny source:* read',
    ],
    [['allow jobs read'], undefined, 'not-granted', undefined],
    [['allow * *'], ['allow source:* *'], 'granted', 'allow * *'],
    [['allow * *'], ['allow jobs *'], 'beyond-scope', undefined],
    [['allow * *'], ['allow * *', 'deny source:notes *'], 'denied', 'deny source:notes *'],
    [['deny * *'], ['allow * *'], 'denied', 'deny * *'],
    [['allow * *'], [], 'beyond-scope', undefined],
  ])('explains %j with the scope %j: %s by %s', (grants, scope, reason, decidedBy) => {
    const principal =
      scope === undefined
        ? principalWith(grants.map((text) => grant(text)))
        : scoped(grants, scope);
    const explained = new TrieAccessControl().explain(principal, 'source:notes', 'read');
    expect(explained).toEqual({
      allowed: reason === 'granted',
      reason,
      ...(decidedBy === undefined ? {} : { decidedBy: grant(decidedBy) }),
    });
  });

  it('answers a question that it was asked before for the set that asks now', () => {
    const access = new TrieAccessControl();
    const may = access.questionOf('source:notes', 'read');
    const [reader, stranger] = [principalWith([grant('allow source:* read')]), principalWith([])];
    for (const principal of [reader, stranger, reader, stranger]) {
      expect(may(principal)).toBe(principal === reader);
      expect(access.questionOf('source:notes', 'write')(principal)).toBe(false);
    }
    expect(may(scoped(['allow source:* read'], ['allow jobs *']))).toBe(false);
  });
});
