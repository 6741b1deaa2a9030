import { Injectable } from '@nestjs/common';
import { AccessControl, type PermissionGrant, type Principal } from '#libs/core';
import { PermissionTries } from './permission-tries.js';

/** An answer and where it comes from. */
export interface Explanation {
  readonly allowed: boolean;
  /**
   * `granted` and `denied` by `decidedBy`; `not-granted`: no grant applies; `beyond-scope`: the grants
   * of the user allow it, and what the credential is limited to does not mention it.
   */
  readonly reason: 'granted' | 'denied' | 'not-granted' | 'beyond-scope';
  /** The most specific of the grants that decide. */
  readonly decidedBy?: PermissionGrant;
}

/**
 * Decides by compiled sets of grants. A scope of the principal is a second set, and both must say yes.
 * Tenant isolation is not decided here: queries carry the organization.
 */
@Injectable()
export class TrieAccessControl extends AccessControl {
  private readonly tries = new PermissionTries();
  private readonly numbers = new Map<string, number>();

  isAllowed(principal: Principal, resource: string, action: string): boolean {
    const { grants, scope } = principal;
    if (this.tries.of(grants).decide(resource, action)?.effect !== 'allow') return false;
    return scope === undefined || this.tries.of(scope).decide(resource, action)?.effect === 'allow';
  }

  /** Remembers the answer with each set. Meant for questions of the program, whose number is bounded. */
  override questionOf(resource: string, action: string): (principal: Principal) => boolean {
    const number = this.numberOf(resource, action);
    const ask = (grants: readonly PermissionGrant[]): boolean => {
      const trie = this.tries.of(grants);
      return (trie.answers[number] ??= trie.decide(resource, action)?.effect === 'allow');
    };
    return ({ grants, scope }) => ask(grants) && (scope === undefined || ask(scope));
  }

  /** As `isAllowed`, and says why. */
  explain(principal: Principal, resource: string, action: string): Explanation {
    const { grants, scope } = principal;
    const decidedBy = this.tries.of(grants).decide(resource, action);
    if (decidedBy === undefined) return { allowed: false, reason: 'not-granted' };
    if (decidedBy.effect === 'deny') return { allowed: false, reason: 'denied', decidedBy };
    if (scope === undefined) return { allowed: true, reason: 'granted', decidedBy };
    const inScope = this.tries.of(scope).decide(resource, action);
    if (inScope === undefined) return { allowed: false, reason: 'beyond-scope' };
    if (inScope.effect === 'deny') return { allowed: false, reason: 'denied', decidedBy: inScope };
    return { allowed: true, reason: 'granted', decidedBy };
  }

  private numberOf(resource: string, action: string): number {
    const question = `${action} ${resource}`;
    const number = this.numbers.get(question) ?? this.numbers.size;
    this.numbers.set(question, number);
    return number;
  }
}
