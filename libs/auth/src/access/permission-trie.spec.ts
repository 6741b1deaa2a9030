import { describe, expect, it } from '@jest/globals';
import type { PermissionGrant } from '#libs/core';
import { grant } from '../testing/access-control.contract.js';
import { decidingGrant } from '../testing/grant-access-control.js';
import { RandomGrants } from '../testing/random-grants.js';
import { seededRandom } from '../testing/random.js';
import { PermissionTrie } from './permission-trie.js';
import { segmentsOf } from './resource-path.js';

const POLICIES = 100_000;
const QUESTIONS_EACH = 2;

function trieOf(...texts: readonly string[]): PermissionTrie {
  return new PermissionTrie(texts.map((text) => grant(text)));
}

/** Counted, not expected one by one: half a million expectations take a minute. */
function disagreements(
  policies: number,
  make: (random: RandomGrants) => PermissionGrant[],
  seed: number,
): { wrong: unknown[]; allowed: number; denied: number; silent: number } {
  const random = new RandomGrants(seededRandom(seed));
  const counted = { wrong: [] as unknown[], allowed: 0, denied: 0, silent: 0 };
  for (let policy = 0; policy < policies; policy += 1) {
    const grants = make(random);
    const trie = new PermissionTrie(grants);
    for (let question = 0; question < QUESTIONS_EACH; question += 1) {
      const [path, action] = [random.path(), random.action()];
      const expected = decidingGrant(grants, segmentsOf(path), action);
      const actual = trie.decide(path, action);
      if (!isSame(expected, actual)) counted.wrong.push({ grants, path, action, expected, actual });
      if (expected === undefined) counted.silent += 1;
      else if (expected.effect === 'allow') counted.allowed += 1;
      else counted.denied += 1;
    }
  }
  return counted;
}

function isSame(one: PermissionGrant | undefined, other: PermissionGrant | undefined): boolean {
  return (
    one?.effect === other?.effect &&
    one?.resource === other?.resource &&
    one?.action === other?.action
  );
}

describe('PermissionTrie', () => {
  it(`agrees with the reference on ${POLICIES} random policies, also about the grant that decides`, () => {
    const { wrong, ...seen } = disagreements(POLICIES, (random) => random.grants(6), 5);
    expect(wrong.slice(0, 3)).toEqual([]);
    // All three answers are common, so that none of them is right by chance.
    for (const count of Object.values(seen)) expect(count).toBeGreaterThan(POLICIES / 10);
  });

  it('agrees with the reference on large policies', () => {
    expect(disagreements(300, (random) => random.grants(200), 7).wrong).toEqual([]);
  });

  it('takes characters, empty segments and a * in a path as they are', () => {
    const trie = trieOf('allow a::b read', 'allow ä:😀 read', 'allow a:* write', 'allow x read');
    for (const [path, action, allowed] of [
      ['a::b', 'read', true],
      ['a:b', 'read', false],
      ['ä:😀', 'read', true],
      ['a:', 'write', true],
      ['a:*', 'write', true],
      ['a', 'write', false],
      ['', 'read', false],
      ['*', 'read', false],
      ['x:', 'read', false],
      [':x', 'read', false],
    ] as const) {
      expect([path, trie.decide(path, action)?.effect === 'allow']).toEqual([path, allowed]);
    }
  });

  it('does not grow with the names that callers make up', () => {
    const trie = trieOf('allow source:* read', 'deny source:secret *', 'allow *:*:entries read');
    for (let name = 0; name < 1_000; name += 1) {
      trie.decide(`source:${name}:entries`, 'read');
      trie.decide(`other${name}:${name}:${name}:x`, `do-${name}`);
    }
    expect(trie.size).toBeLessThan(20);
  });

  it('keeps few states where wildcards combine into many, and stays right', () => {
    const depth = 12;
    // Each choice of a literal at each place is a state of its own: 3 ** 12 in all.
    const grants = ['a', 'b', 'c'].flatMap((name) =>
      Array.from({ length: depth }, (_, place) =>
        grant(
          `allow ${Array.from({ length: depth }, (_, at) => (at === place ? name : '*')).join(':')}:${name} read`,
        ),
      ),
    );
    const trie = new PermissionTrie(grants);
    const random = seededRandom(8);
    for (let question = 0; question < 3_000; question += 1) {
      const path = Array.from({ length: depth + 1 }, () => 'abcd'[Math.floor(random() * 4)]).join(
        ':',
      );
      const expected = decidingGrant(grants, segmentsOf(path), 'read');
      expect(trie.decide(path, 'read')?.effect).toBe(expected?.effect);
    }
    expect(trie.size).toBeLessThan(4_000);
  });
});
