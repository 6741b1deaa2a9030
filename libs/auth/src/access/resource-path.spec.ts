import { describe, expect, it } from '@jest/globals';
import { RandomGrants } from '../testing/random-grants.js';
import { seededRandom } from '../testing/random.js';
import { coversPattern, matchesPath, overlaps, segmentsOf } from './resource-path.js';

const ROUNDS = 20_000;

/** Every path of up to five segments over the names of `RandomGrants` and one they do not use. */
const ALL_PATHS = allPaths(5).map((path) => segmentsOf(path));

describe('coversPattern', () => {
  it('agrees with looking at every path', () => {
    const random = new RandomGrants(seededRandom(1));
    for (let round = 0; round < 400; round += 1) {
      const outer = segmentsOf(random.pattern());
      const inner = segmentsOf(random.pattern());
      const covered = ALL_PATHS.every(
        (path) => !matchesPath(inner, path) || matchesPath(outer, path),
      );
      expect({ outer, inner, covers: coversPattern(outer, inner) }).toEqual({
        outer,
        inner,
        covers: covered,
      });
    }
  });

  it('lets nothing through that the outer pattern does not match', () => {
    const random = new RandomGrants(seededRandom(2));
    for (let round = 0; round < ROUNDS; round += 1) {
      const [outer, inner, path] = [random.pattern(), random.pattern(), random.path()].map((text) =>
        segmentsOf(text),
      ) as [string[], string[], string[]];
      if (!coversPattern(outer, inner) || !matchesPath(inner, path)) continue;
      expect(matchesPath(outer, path)).toBe(true);
    }
  });
});

describe('overlaps', () => {
  it('agrees with looking for a path that both match, either way round', () => {
    const random = new RandomGrants(seededRandom(3));
    for (let round = 0; round < 400; round += 1) {
      const left = segmentsOf(random.pattern());
      const right = segmentsOf(random.pattern());
      const meet = ALL_PATHS.some((path) => matchesPath(left, path) && matchesPath(right, path));
      expect({ left, right, overlaps: overlaps(left, right) }).toEqual({
        left,
        right,
        overlaps: meet,
      });
      expect(overlaps(right, left)).toBe(meet);
    }
  });
});

function allPaths(maxSegments: number): string[] {
  const names = ['a', 'b', 'c', 'other'];
  let longest = names;
  const all = [...names];
  for (let length = 2; length <= maxSegments; length += 1) {
    longest = longest.flatMap((path) => names.map((name) => `${path}:${name}`));
    all.push(...longest);
  }
  return all;
}
