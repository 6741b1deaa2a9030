import type { PermissionGrant } from '#libs/core';
import { WILDCARD } from './resource-path.js';

/** A place in the tree of patterns; which patterns end here decides. */
export class PatternNode {
  readonly literals = new Map<string, PatternNode>();
  /** For a `*` that segments follow: exactly one segment. */
  one: PatternNode | undefined;
  /** For a `*` at the end: one segment or more. */
  rest: PatternNode | undefined;
  readonly grants: PermissionGrant[] = [];

  constructor(
    readonly id: number,
    /** One character a segment, so that of two texts the one that sorts first is more specific. */
    readonly rank: string,
    readonly isRest: boolean,
  ) {}
}

/** From a state by a segment of this name; several names may have the same hash. */
export interface Edge {
  readonly name: string;
  readonly next: Edge | undefined;
  target: TrieState | undefined;
}

/**
 * All places of the tree at which a path may stand: the pattern `a:b` and the pattern `*:b` both go on
 * after `a`. Following them together makes a step one look-up, however many patterns there are.
 */
export class TrieState {
  /** By the hash of their names. */
  readonly edges = new Map<number, Edge>();
  /** By a segment that no pattern names here. */
  other: TrieState | undefined;
  /** Whatever follows leads to the same state. */
  readonly isClosed: boolean;
  private verdicts: Verdicts | undefined;

  constructor(
    readonly nodes: readonly PatternNode[],
    hashOf: (name: string) => number,
  ) {
    this.isClosed = nodes.every(({ isRest }) => isRest);
    for (const { literals } of nodes) {
      for (const name of literals.keys()) {
        const hash = hashOf(name);
        const known = this.edges.get(hash);
        if (!isAmong(known, name)) this.edges.set(hash, { name, next: known, target: undefined });
      }
    }
  }

  /** The places after a segment; of one that no pattern names if `name` is undefined. */
  after(name: string | undefined): PatternNode[] {
    const found: PatternNode[] = [];
    for (const node of this.nodes) {
      const literal = name === undefined ? undefined : node.literals.get(name);
      if (literal !== undefined) found.push(literal);
      if (node.one !== undefined) found.push(node.one);
      if (node.rest !== undefined) found.push(node.rest);
      if (node.isRest) found.push(node);
    }
    return found;
  }

  /** The grant that decides over an action on the path that ends here; undefined: none applies. */
  verdictOn(action: string): PermissionGrant | undefined {
    this.verdicts ??= verdictsOf(this.nodes);
    return this.verdicts.byAction.get(action) ?? this.verdicts.otherwise;
  }
}

interface Verdicts {
  readonly byAction: ReadonlyMap<string, PermissionGrant>;
  /** Over actions that no grant here names. */
  readonly otherwise: PermissionGrant | undefined;
}

function verdictsOf(nodes: readonly PatternNode[]): Verdicts {
  const grants = [...nodes]
    .sort((one, other) => (one.rank < other.rank ? -1 : 1))
    .flatMap((node) => node.grants.toSorted(byNamedActionFirst));
  const byAction = new Map<string, PermissionGrant>();
  for (const { action } of grants) {
    if (action === WILDCARD || byAction.has(action)) continue;
    const applying = grants.filter((grant) => grant.action === action || grant.action === WILDCARD);
    byAction.set(action, deciding(applying) as PermissionGrant);
  }
  return { byAction, otherwise: deciding(grants.filter(({ action }) => action === WILDCARD)) };
}

/** The first denial, else the first permission, of grants with the most specific first. */
function deciding(grants: readonly PermissionGrant[]): PermissionGrant | undefined {
  return grants.find(({ effect }) => effect === 'deny') ?? grants[0];
}

function byNamedActionFirst(one: PermissionGrant, other: PermissionGrant): number {
  return Number(one.action === WILDCARD) - Number(other.action === WILDCARD);
}

function isAmong(edge: Edge | undefined, name: string): boolean {
  for (let at = edge; at !== undefined; at = at.next) if (at.name === name) return true;
  return false;
}
