import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { CacheEntry } from '../entry/cache-entry.js';
import type { CacheTier } from '../tier/cache-tier.js';

/** What a tier brings to its contract. */
export interface CacheTierHarness {
  readonly tier: CacheTier;
  /** Another client of the same store, as another process would have. */
  readonly other: CacheTier;
  nowMs(): number;
  /** Lets time pass, for the store too. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

let keys = 0;

/** What every `CacheTier` promises. Call it from a test file with a harness around a real store. */
export function cacheTierContract(name: string, open: () => Promise<CacheTierHarness>): void {
  describe(`${name} as a cache tier`, () => {
    let harness: CacheTierHarness;
    let tier: CacheTier;
    let other: CacheTier;
    let key: string;

    const entryOf = (value: unknown, changes: Partial<CacheEntry> = {}): CacheEntry => ({
      value,
      createdMs: harness.nowMs(),
      expiresMs: harness.nowMs() + 60_000,
      staleUntilMs: harness.nowMs() + 90_000,
      loadMs: 12.5,
      tags: ['*', 'ns:orders', 'order:1'],
      versions: [1, 2, 3_000_000_000_000],
      ...changes,
    });

    beforeAll(async () => {
      harness = await open();
      ({ tier, other } = harness);
    });
    afterAll(() => harness.close());
    beforeEach(() => {
      keys += 1;
      key = `contract:${keys}`;
    });

    it('misses a key that nobody wrote, without a fence', async () => {
      expect(await tier.get(key)).toEqual({ entry: undefined, fence: '' });
    });

    it.each([
      ['0', 0],
      ['an empty text', ''],
      ['false', false],
      ['null', null],
      ['undefined', undefined],
      ['an object', { id: 7, tags: ['a', 'b'], at: { deep: [1, 2.5, null] } }],
      ['a text beyond the basic plane', '☕ 𝒳'],
      ['a long text', 'lorem ipsum '.repeat(2_000)],
    ])('gives back %s, and its times, tags and versions', async (_, value) => {
      const entry = entryOf(value);
      expect(await tier.set({ key, entry })).toBe(true);
      expect((await other.get(key)).entry).toEqual(entry);
    });

    it('gives back many in the order of the keys, also keys that are asked twice', async () => {
      const [a, b] = [`${key}:a`, `${key}:b`];
      const writes = [a, b].map((each) => ({ key: each, entry: entryOf(each) }));
      expect(await tier.setMany(writes)).toEqual([true, true]);
      const reads = await other.getMany([b, key, a, b]);
      expect(reads.map((read) => read.entry?.value)).toEqual([b, undefined, a, b]);
      expect(await tier.getMany([])).toEqual([]);
      expect(await tier.setMany([])).toEqual([]);
      expect(await tier.deleteMany([])).toBe(0);
    });

    it('keeps long keys and keys with signs apart', async () => {
      const long = key + 'k'.repeat(5_000);
      const others = [`${long}1`, `${long}2`, `${key}{a}`, `${key}{b}`, `${key}:*`, `${key} ü`];
      await tier.setMany(others.map((each) => ({ key: each, entry: entryOf(each) })));
      const reads = await tier.getMany(others);
      expect(reads.map((read) => read.entry?.value)).toEqual(others);
    });

    it('deletes, says whether there was something, and leaves a fence', async () => {
      await tier.set({ key, entry: entryOf(1) });
      expect(await other.delete(key)).toBe(true);
      expect(await tier.delete(key)).toBe(false);
      const read = await tier.get(key);
      expect(read.entry).toBeUndefined();
      expect(read.fence).not.toBe('');
    });

    it('deletes many and counts them', async () => {
      const all = ['a', 'b', 'c'].map((part) => `${key}:${part}`);
      await tier.setMany(all.slice(0, 2).map((each) => ({ key: each, entry: entryOf(each) })));
      expect(await tier.deleteMany(all)).toBe(2);
      expect((await other.getMany(all)).map((read) => read.entry)).toEqual(
        all.map(() => undefined),
      );
    });

    it('stores a loaded value while the fence of its read stands', async () => {
      const { fence } = await tier.get(key);
      expect(await tier.set({ key, entry: entryOf('first'), fence })).toBe(true);
      expect(await other.set({ key, entry: entryOf('second'), fence })).toBe(true);
      expect((await tier.get(key)).entry?.value).toBe('second');
    });

    it('refuses a value whose load began before a deletion, wherever that happened', async () => {
      const { fence } = await tier.get(key);
      await other.delete(key);
      expect(await tier.set({ key, entry: entryOf('outdated'), fence })).toBe(false);
      expect((await tier.get(key)).entry).toBeUndefined();
    });

    it('refuses a value whose load began before a write or before a second deletion', async () => {
      await tier.delete(key);
      const { fence } = await tier.get(key);
      await other.set({ key, entry: entryOf('written') });
      expect(await tier.set({ key, entry: entryOf('outdated'), fence })).toBe(false);
      expect((await tier.get(key)).entry?.value).toBe('written');
      const second = await tier.get(key);
      await other.delete(key);
      expect(await tier.set({ key, entry: entryOf('outdated'), fence: second.fence })).toBe(false);
    });

    it('refuses also after the newer value has expired', async () => {
      const { fence } = await tier.get(key);
      const nowMs = harness.nowMs();
      await other.set({
        key,
        entry: entryOf('short', { expiresMs: nowMs + 20, staleUntilMs: nowMs + 20 }),
      });
      await harness.pass(40);
      expect(await tier.set({ key, entry: entryOf('outdated'), fence })).toBe(false);
      expect((await tier.get(key)).entry).toBeUndefined();
    });

    it('accepts a load that began after the deletion, one by one in many', async () => {
      const [kept, dropped] = [`${key}:kept`, `${key}:dropped`];
      await tier.deleteMany([kept, dropped]);
      const reads = await tier.getMany([kept, dropped]);
      await other.delete(dropped);
      const stored = await tier.setMany(
        [kept, dropped].map((each, index) => ({
          key: each,
          entry: entryOf(each),
          fence: reads[index]?.fence ?? '',
        })),
      );
      expect(stored).toEqual([true, false]);
    });

    it('forgets an entry when its stale time has passed, and not when it is only stale', async () => {
      const nowMs = harness.nowMs();
      const entry = entryOf('old', { expiresMs: nowMs + 5, staleUntilMs: nowMs + 5_000 });
      const gone = entryOf('gone', { expiresMs: nowMs + 5, staleUntilMs: nowMs + 20 });
      await tier.setMany([
        { key, entry },
        { key: `${key}:gone`, entry: gone },
      ]);
      await harness.pass(40);
      expect((await tier.get(key)).entry).toEqual(entry);
      expect((await tier.get(`${key}:gone`)).entry).toBeUndefined();
      const { fence } = await tier.get(`${key}:gone`);
      expect(await tier.set({ key: `${key}:gone`, entry: entryOf('new'), fence })).toBe(true);
    });

    it('clears what is there', async () => {
      await tier.set({ key, entry: entryOf(1) });
      await other.clear();
      expect((await tier.get(key)).entry).toBeUndefined();
    });

    it('survives concurrent loads and deletions without an outdated entry', async () => {
      let truth = 0;
      for (let round = 0; round < 25; round += 1) {
        const load = async (through: CacheTier): Promise<void> => {
          const { fence } = await through.get(key);
          const value = truth;
          await new Promise((resolve) => setImmediate(resolve));
          await through.set({ key, entry: entryOf(value), fence });
        };
        const change = async (through: CacheTier): Promise<void> => {
          truth += 1;
          await through.delete(key);
        };
        const loads = [load(tier), load(other), change(other), load(tier), load(other)];
        await Promise.all(loads);
        if (tier.isAtomic) {
          expect([undefined, truth]).toContain((await tier.get(key)).entry?.value);
        }
        await tier.delete(key);
      }
    });
  });
}
