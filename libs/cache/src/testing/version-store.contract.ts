import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { VersionStore } from '../versions/version-store.js';

export interface VersionStoreHarness {
  readonly store: VersionStore;
  /** Another client of the same store. */
  readonly other: VersionStore;
  /** Makes the store lose everything it can lose. */
  lose(): Promise<void>;
  close(): Promise<void>;
}

/** What every `VersionStore` promises. */
export function versionStoreContract(name: string, open: () => Promise<VersionStoreHarness>): void {
  describe(`${name} as a version store`, () => {
    let harness: VersionStoreHarness;
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());

    it('gives every client the same versions, in the order of the names', async () => {
      const first = await harness.store.read(['a', 'b', 'a']);
      await harness.store.bump(['b']);
      const [b, a] = (await harness.other.read(['b', 'a'])).versions;
      expect(a).toBe(first.versions[0]);
      expect(a).toBe(first.versions[2]);
      expect(b).not.toBe(first.versions[1]);
      expect((await harness.store.read([])).versions).toEqual([]);
    });

    it('gives higher versions only, and the bump returns what is read', async () => {
      let last = 0;
      for (let round = 0; round < 5; round += 1) {
        const through = round % 2 === 0 ? harness.store : harness.other;
        const [version = 0] = await through.bump(['grows']);
        expect(version).toBeGreaterThan(last);
        expect((await harness.other.read(['grows'])).versions).toEqual([version]);
        last = version;
      }
    });

    it('dates a bump after every read that came before it', async () => {
      const before = await harness.store.read(['dated']);
      expect(before.versions[0]).toBeLessThanOrEqual(before.now);
      const [version = 0] = await harness.other.bump(['dated']);
      expect(version).toBeGreaterThan(before.now);
      expect((await harness.store.read([])).now).toBeGreaterThanOrEqual(version);
    });

    it('dates a name that nobody bumped before the reads that follow', async () => {
      const { now } = await harness.store.read([]);
      const late = await harness.other.read(['never-bumped']);
      expect(late.versions[0]).toBeLessThanOrEqual(now);
    });

    it('changes the first version of a name with its first bump', async () => {
      const names = ['x', 'y', 'z'].map((part) => `fresh-${part}`);
      const { versions } = await harness.store.read(names);
      const bumped = await harness.other.bump(names);
      expect(new Set([...versions, ...bumped]).size).toBe(new Set(versions).size + 3);
    });

    it('agrees when many ask for a new name at once', async () => {
      for (let round = 0; round < 10; round += 1) {
        const reads = await Promise.all(
          [harness.store, harness.other, harness.store, harness.other].map((store) =>
            store.read([`round-${round}`, 'shared']),
          ),
        );
        expect(new Set(reads.map((read) => read.versions[0])).size).toBe(1);
      }
    });

    it('never gives an old version again, not even after a loss of its data', async () => {
      const seen = new Set<number>();
      for (let round = 0; round < 3; round += 1) {
        const [read] = (await harness.store.read(['lost'])).versions;
        const [bumped] = await harness.store.bump(['lost']);
        expect(seen.has(read as number)).toBe(false);
        expect(seen.has(bumped as number)).toBe(false);
        seen.add(read as number).add(bumped as number);
        await harness.lose();
        await harness.store.bump(['another']);
      }
    });
  });
}
