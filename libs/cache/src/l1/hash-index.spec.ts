import { describe, expect, it } from '@jest/globals';
import { GhostRing } from './ghost-ring.js';
import { HashIndex } from './hash-index.js';
import { RandomSource } from './random-source.js';

describe('an index of hashes', () => {
  it('finds what a Map finds, through any additions and deletions', () => {
    const random = new RandomSource(11);
    const hashes = new Uint32Array(200);
    const index = new HashIndex(hashes.length);
    const model = new Map<number, number>();
    const free = [...hashes.keys()];
    for (let step = 0; step < 20_000; step += 1) {
      // Few hashes that lie close together, so that runs of cells collide and wrap round.
      const hash = 0xffffff00 + random.below(240);
      const known = model.get(hash);
      if (known === undefined && free.length > 0) {
        const place = free.pop() as number;
        hashes[place] = hash;
        index.add(place, hashes);
        model.set(hash, place);
      } else if (known !== undefined && random.below(2) === 0) {
        index.delete(known, hashes);
        model.delete(hash);
        free.push(known);
      }
      const asked = 0xffffff00 + random.below(240);
      if (index.find(asked, hashes) !== (model.get(asked) ?? -1)) {
        throw new Error(`step ${step}: hash ${asked}`);
      }
    }
    expect(model.size).toBeGreaterThan(0);
  });

  it('leaves everything as it is when a place to delete is not there', () => {
    const hashes = Uint32Array.of(1, 2);
    const index = new HashIndex(2);
    index.add(0, hashes);
    expect(index.delete(1, hashes)).toBe(false);
    expect([index.find(1, hashes), index.find(2, hashes)]).toEqual([0, -1]);
    expect(index.delete(0, hashes)).toBe(true);
  });
});

describe('a ring of ghosts', () => {
  it('remembers as far back as it is asked', () => {
    const ring = new GhostRing(100);
    for (let hash = 1; hash <= 10; hash += 1) ring.add(hash);
    expect(ring.take(7, 3)).toBe(false);
    expect(ring.take(8, 3)).toBe(true);
  });

  it('forgets a key with the first question', () => {
    const ring = new GhostRing(10);
    ring.add(5);
    expect([ring.take(5, 10), ring.take(5, 10)]).toEqual([true, false]);
  });

  it('answers as a plain list does, also while it grows', () => {
    const random = new RandomSource(13);
    const ring = new GhostRing(20);
    const list: (number | undefined)[] = [];
    let capacity = 20;
    for (let step = 0; step < 20_000; step += 1) {
      if (step === 10_000) {
        capacity = 50;
        ring.reserve(50);
        // Growing packs the ring: places that were given up no longer count.
        const kept = list.slice(-20).filter((hash) => hash !== undefined);
        list.splice(0, list.length, ...kept);
      }
      const hash = random.below(90);
      if (random.below(3) > 0) {
        if (list.slice(-capacity).includes(hash)) continue;
        ring.add(hash);
        list.push(hash);
      } else {
        const reach = 1 + random.below(capacity);
        const at = list.lastIndexOf(hash);
        const isWithin = at >= 0 && list.length - at <= Math.min(reach, capacity);
        if (at >= 0) list[at] = undefined;
        if (ring.take(hash, reach) !== isWithin) throw new Error(`step ${step}: hash ${hash}`);
      }
      const remembered = list.slice(-capacity).filter((known) => known !== undefined);
      if (ring.size !== remembered.length) throw new Error(`step ${step}: size ${ring.size}`);
    }
    ring.clear();
    expect(ring.size).toBe(0);
  });
});
