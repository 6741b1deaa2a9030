import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { setTimeout as sleep } from 'node:timers/promises';
import type { LeaseStore } from '../lease/lease-store.js';

export interface LeaseStoreHarness {
  readonly store: LeaseStore;
  readonly other: LeaseStore;
  close(): Promise<void>;
}

let keys = 0;

/** What every `LeaseStore` promises. */
export function leaseStoreContract(name: string, open: () => Promise<LeaseStoreHarness>): void {
  describe(`${name} as a lease store`, () => {
    let harness: LeaseStoreHarness;
    let key: string;
    beforeAll(async () => {
      harness = await open();
    });
    afterAll(() => harness.close());
    beforeEach(() => {
      keys += 1;
      key = `lease-${keys}`;
    });

    it('gives a lease to one of many', async () => {
      const asked = Array.from({ length: 20 }, (_, index) =>
        (index % 2 === 0 ? harness.store : harness.other).acquire(key, `owner-${index}`, 5_000),
      );
      expect((await Promise.all(asked)).filter(Boolean)).toHaveLength(1);
    });

    it('gives it on after its owner released it, and to nobody else before', async () => {
      expect(await harness.store.acquire(key, 'a', 5_000)).toBe(true);
      await harness.other.release(key, 'b');
      expect(await harness.other.acquire(key, 'b', 5_000)).toBe(false);
      await harness.store.release(key, 'a');
      expect(await harness.other.acquire(key, 'b', 5_000)).toBe(true);
    });

    it('hands it over when its time is over; the late release changes nothing', async () => {
      expect(await harness.store.acquire(key, 'slow', 20)).toBe(true);
      await sleep(40);
      expect(await harness.other.acquire(key, 'next', 5_000)).toBe(true);
      await harness.store.release(key, 'slow');
      expect(await harness.store.acquire(key, 'third', 5_000)).toBe(false);
    });
  });
}
