import { hash } from 'node:crypto';
import type { PermissionGrant } from '#libs/core';
import { PermissionTrie } from './permission-trie.js';

type Grants = readonly PermissionGrant[];

/**
 * The compiled form of sets of grants, one for all who have the same set in whatever order. It lives as
 * long as somebody has the array of grants that it was asked for with, and an array must not change.
 */
export class PermissionTries {
  private readonly byArray = new WeakMap<Grants, PermissionTrie>();
  private readonly bySet = new Map<string, WeakRef<PermissionTrie>>();
  private readonly gone = new FinalizationRegistry<string>((key) => {
    // Another one may have been made under the same key meanwhile.
    if (this.bySet.get(key)?.deref() === undefined) this.bySet.delete(key);
  });

  /** How many sets are compiled, with some that were collected a moment ago. */
  get size(): number {
    return this.bySet.size;
  }

  of(grants: Grants): PermissionTrie {
    return this.byArray.get(grants) ?? this.shared(grants);
  }

  private shared(grants: Grants): PermissionTrie {
    const key = keyOf(grants);
    let trie = this.bySet.get(key)?.deref();
    if (trie === undefined) {
      trie = new PermissionTrie(grants);
      this.bySet.set(key, new WeakRef(trie));
      this.gone.register(trie, key);
    }
    this.byArray.set(grants, trie);
    return trie;
  }
}

/** The same for the same set. */
function keyOf(grants: Grants): string {
  const texts = new Set(
    grants.map(({ resource, action, effect }) => JSON.stringify([resource, action, effect])),
  );
  return hash('sha256', [...texts].sort().join('\n'), 'base64');
}
