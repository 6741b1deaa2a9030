import { randomInt } from 'node:crypto';
import type { PermissionGrant } from '#libs/core';
import { PatternNode, TrieState } from './trie-state.js';
import { segmentsOf, WILDCARD } from './resource-path.js';

const SEPARATOR = ':'.charCodeAt(0);
const LITERAL_RANK = '0';
const ONE_RANK = '1';
const REST_RANK = '2';
/** States are made as paths come by. Sets without wildcards need one a node, others a few more. */
const MAX_WEIGHT_PER_NODE = 8;
const MIN_MAX_WEIGHT = 1_024;

/**
 * A set of grants, compiled for questions: deny by default, a denial wins over every permission, and
 * wildcards as in resource-path.ts. The answer names the grant that decides: among the denials that
 * apply, else among the permissions, the most specific one (of two patterns the one that first has a
 * literal where the other has a wildcard; then the one that names the action).
 *
 * A tree of patterns is a non-deterministic automaton, because literals and wildcards both fit. Its
 * deterministic form is made state by state as paths are asked for (as in RE2), so a question costs one
 * look-up a segment, whatever the number of grants; it stops where nothing more can change. Names that
 * stand in no grant share one state, so that paths from outside cannot make the automaton grow. Where
 * wildcards combine into too many states all are forgotten and made again.
 *
 * A question allocates nothing: segments are hashed and compared within the path.
 */
export class PermissionTrie {
  /** For who asks the same questions again and again: the answers, by numbers of their own. */
  readonly answers: (boolean | undefined)[] = [];
  private readonly states = new Map<string, TrieState>();
  private readonly maxWeight: number;
  private weight = 0;
  private start: TrieState;

  constructor(grants: readonly PermissionGrant[]) {
    const root = new PatternNode(0, '', false);
    const nodes = addAll(root, grants);
    this.maxWeight = Math.max(MIN_MAX_WEIGHT, nodes * MAX_WEIGHT_PER_NODE);
    this.start = this.stateOf([root]);
  }

  /** How many states are kept at present. */
  get size(): number {
    return this.states.size;
  }

  /**
   * The grant that decides over `action` on the path `resource`; undefined: none applies, which is a
   * no. In a path and as an action `*` is a name like any other, which only a wildcard fits.
   */
  decide(resource: string, action: string): PermissionGrant | undefined {
    const { length } = resource;
    let state = this.start;
    let from = 0;
    let hash = SEED;
    for (let at = 0; at <= length; at += 1) {
      const code = at < length ? resource.charCodeAt(at) : SEPARATOR;
      if (code !== SEPARATOR) {
        hash = Math.imul(hash ^ code, PRIME);
        continue;
      }
      state = this.step(state, resource, from, at, hash);
      if (state.isClosed) break;
      hash = SEED;
      from = at + 1;
    }
    return state.verdictOn(action);
  }

  private step(state: TrieState, path: string, from: number, to: number, hash: number): TrieState {
    let edge = state.edges.get(hash);
    while (edge !== undefined) {
      const { name } = edge;
      if (name.length === to - from && path.startsWith(name, from)) break;
      edge = edge.next;
    }
    if (edge === undefined) return (state.other ??= this.stateOf(state.after(undefined)));
    return (edge.target ??= this.stateOf(state.after(edge.name)));
  }

  private stateOf(nodes: PatternNode[]): TrieState {
    // A node is reached in one way only, so no set holds one twice.
    const key = nodes
      .map(({ id }) => id)
      .sort((one, other) => one - other)
      .join();
    const known = this.states.get(key);
    if (known !== undefined) return known;
    const state = new TrieState(nodes, hashOf);
    const weight = 1 + state.edges.size;
    if (this.weight + weight > this.maxWeight && this.states.size > 0) this.forgetStates();
    this.weight += weight;
    this.states.set(key, state);
    return state;
  }

  private forgetStates(): void {
    this.states.clear();
    this.weight = 0;
    this.start = new TrieState(this.start.nodes, hashOf);
  }
}

/** FNV-1a from a start that nobody knows, so that names of equal hash cannot be prepared. */
const SEED = randomInt(2 ** 31 - 1);
const PRIME = 0x01000193;

function hashOf(name: string): number {
  let hash = SEED;
  for (let at = 0; at < name.length; at += 1) hash = Math.imul(hash ^ name.charCodeAt(at), PRIME);
  return hash;
}

function addAll(root: PatternNode, grants: readonly PermissionGrant[]): number {
  let nodes = 1;
  const make = (rank: string, isRest = false): PatternNode => {
    nodes += 1;
    return new PatternNode(nodes, rank, isRest);
  };
  for (const grant of grants) {
    let node = root;
    const segments = segmentsOf(grant.resource);
    for (const [index, segment] of segments.entries()) {
      if (segment !== WILDCARD) {
        let next = node.literals.get(segment);
        if (next === undefined) {
          next = make(node.rank + LITERAL_RANK);
          node.literals.set(segment, next);
        }
        node = next;
      } else if (index < segments.length - 1) node = node.one ??= make(node.rank + ONE_RANK);
      else node = node.rest ??= make(node.rank + REST_RANK, true);
    }
    node.grants.push(grant);
  }
  return nodes;
}
