import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { EPOCH_US, fullBucket, take, type Grant, type Take } from '../gcra/held-bucket.js';
import { RatePolicy } from '../gcra/rate-policy.js';
import type { RateLimitStore } from '../store/rate-limit-store.js';
import { Random } from './random.js';

/** What a store brings to its contract. */
export interface RateLimitStoreHarness {
  readonly store: RateLimitStore;
  /** Another client of the same store, as another process would have. */
  readonly other: RateLimitStore;
  /** Lets time pass, for the store too. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

let names = 0;

/** What every `RateLimitStore` promises. Call it from a test file with a harness around a real store. */
export function rateLimitStoreContract(
  name: string,
  open: () => Promise<RateLimitStoreHarness>,
): void {
  describe(`${name} as a store of rate limits`, () => {
    let harness: RateLimitStoreHarness;
    let store: RateLimitStore;
    let other: RateLimitStore;
    let policyName: string;

    beforeAll(async () => {
      harness = await open();
      ({ store, other } = harness);
      await store.probe();
      await other.probe();
    });
    afterAll(() => harness.close());
    beforeEach(() => {
      names += 1;
      policyName = `contract ${names}`;
    });

    /** By default so slow that a test does not see anything come back. */
    const policyOf = (capacity: number, refill = 1, periodMs = 3_600_000) =>
      new RatePolicy({ name: policyName, by: 'user', capacity, refill, periodMs });
    const takeOf = (policy: RatePolicy, changes: Partial<Take> = {}): Take => ({
      key: 'a',
      policy,
      need: 1,
      want: 0,
      part: 64,
      settledEpoch: 0,
      settled: 0,
      returned: 0,
      debt: 0,
      ...changes,
    });
    const ask = async (from: RateLimitStore, request: Take): Promise<Grant> =>
      (await from.take([request]))[0] as Grant;

    it('grants a full bucket, then tells when the next request will be granted', async () => {
      const policy = policyOf(3);
      const grants = [];
      for (let index = 0; index < 4; index += 1) grants.push(await ask(store, takeOf(policy)));
      expect(grants.map(({ granted }) => granted)).toEqual([1, 1, 1, 0]);
      expect(grants.map(({ available }) => available)).toEqual([2, 1, 0, 0]);
      expect(grants.slice(0, 3).map(({ waitUs }) => waitUs)).toEqual([0, 0, 0]);
      expect(grants[3]?.waitUs).toBeGreaterThan(3_590_000_000);
      expect(grants[3]?.waitUs).toBeLessThanOrEqual(3_600_000_000);
    });

    it('grants exactly the capacity to two clients that ask at once', async () => {
      const policy = policyOf(100);
      const grants = await Promise.all(
        Array.from({ length: 75 }, (_, at) =>
          ask(at % 2 === 0 ? store : other, takeOf(policy, { need: 1 + (at % 3) })),
        ),
      );
      expect(grants.reduce((sum, { granted }) => sum + granted, 0)).toBe(100);
    });

    it('grants a part of those that wait when there is no more', async () => {
      const policy = policyOf(5);
      expect(await ask(store, takeOf(policy, { need: 8 }))).toMatchObject({ granted: 5 });
    });

    it('gives requests back as time passes, to the very rate', async () => {
      const policy = policyOf(5, 10, 1_000);
      await ask(store, takeOf(policy, { need: 5 }));
      const { waitUs } = await ask(store, takeOf(policy));
      expect(waitUs).toBeLessThanOrEqual(100_000);
      await harness.pass(waitUs / 1_000 + 2);
      expect(await ask(other, takeOf(policy))).toMatchObject({ granted: 1 });
    });

    it('answers several takes in their order', async () => {
      const policy = policyOf(10);
      const needs = [3, 1, 2];
      const keys = ['z', 'b', 'a'];
      const grants = await store.take(
        needs.map((need, at) => takeOf(policy, { need, key: keys[at] ?? '' })),
      );
      expect(grants.map(({ granted }) => granted)).toEqual(needs);
      expect(grants.map(({ available }) => available)).toEqual([7, 9, 8]);
    });

    it('keeps keys and policies apart', async () => {
      await ask(store, takeOf(policyOf(1)));
      expect(await ask(store, takeOf(policyOf(1)))).toMatchObject({ granted: 0 });
      expect(await ask(store, takeOf(policyOf(1), { key: 'b' }))).toMatchObject({ granted: 1 });
      const otherPeriod = policyOf(1, 1, 3_000_000);
      expect(await ask(store, takeOf(otherPeriod))).toMatchObject({ granted: 1 });
    });

    it('takes keys as they are', async () => {
      const policy = policyOf(2);
      for (const key of ['', '{}', 'a:b', "it's", '2001:db8:1:2', 'é☕', 'x'.repeat(300)]) {
        expect(await ask(store, takeOf(policy, { key }))).toMatchObject({ available: 1 });
        expect(await ask(other, takeOf(policy, { key }))).toMatchObject({ available: 0 });
      }
    });

    it('puts at most a part of what is left in reserve', async () => {
      const grant = await ask(store, takeOf(policyOf(1_000), { want: 500 }));
      expect(grant).toMatchObject({ granted: 1, reserve: 15, available: 984 });
      expect(await ask(store, takeOf(policyOf(64), { want: 500, key: 'b' }))).toMatchObject({
        reserve: 0,
      });
    });

    it('has what is returned of a reserve for others, once', async () => {
      const policy = policyOf(100);
      const { epoch } = await ask(store, takeOf(policy, { want: 40, part: 2 }));
      const settled = { need: 0, settledEpoch: epoch, settled: 40, returned: 30 };
      expect(await ask(other, takeOf(policy, { need: 0 }))).toMatchObject({ available: 59 });
      expect(await ask(store, takeOf(policy, settled))).toMatchObject({ available: 89 });
      expect(await ask(store, takeOf(policy, settled))).toMatchObject({ available: 89 });
      const foreign = { ...settled, settledEpoch: epoch - 5 };
      expect(await ask(store, takeOf(policy, foreign))).toMatchObject({ available: 89 });
    });

    it('does not fill up beyond what is held in reserve', async () => {
      // A thousand a second: full again at once but for the reserve.
      const policy = policyOf(100, 100_000, 1_000);
      const { epoch } = await ask(store, takeOf(policy, { want: 40, part: 2 }));
      await harness.pass(20);
      expect(await ask(other, takeOf(policy, { need: 0 }))).toMatchObject({ available: 60 });
      await ask(store, takeOf(policy, { need: 0, settledEpoch: epoch, settled: 40, returned: 0 }));
      await harness.pass(20);
      expect(await ask(other, takeOf(policy, { need: 0 }))).toMatchObject({ available: 100 });
    });

    it('takes what was let through without it, and no more than the bucket has', async () => {
      const policy = policyOf(100);
      expect(await ask(store, takeOf(policy, { debt: 60 }))).toMatchObject({ available: 39 });
      expect(await ask(store, takeOf(policy, { debt: 60 }))).toMatchObject({ granted: 0 });
      expect(await ask(store, takeOf(policy))).toMatchObject({ granted: 0 });
      const { waitUs } = await ask(store, takeOf(policy));
      expect(waitUs).toBeLessThanOrEqual(3_600_000_000);
    });

    it('answers again after a reset, and goes on where it was', async () => {
      const policy = policyOf(5);
      await ask(store, takeOf(policy, { need: 2 }));
      store.reset();
      while (
        !(await store.probe().then(
          () => true,
          () => false,
        ))
      )
        await harness.pass(10);
      expect(await ask(store, takeOf(policy))).toMatchObject({ granted: 1, available: 2 });
    });

    it('is exact with the largest numbers there are', async () => {
      const policy = policyOf(1_000_000);
      expect(await ask(store, takeOf(policy, { need: 999_999 }))).toMatchObject({ available: 1 });
      expect(await ask(store, takeOf(policy))).toMatchObject({ granted: 1, available: 0 });
      const quick = policyOf(1_000_000, 1_000_000, 1_000);
      expect(await ask(store, takeOf(quick, { key: 'q' }))).toMatchObject({ available: 999_999 });
    });

    it('does what the reference does, for random takes', async () => {
      const random = new Random(names);
      const policy = policyOf(1_000);
      // Nothing comes back meanwhile, and an epoch must not end: the test begins anew if one does.
      for (let attempt = 0; attempt < 3; attempt += 1) {
        const key = `random ${attempt}`;
        const bucket = fullBucket(0);
        let epoch = 0;
        const reserves: number[] = [];
        const answers: [Grant, Grant][] = [];
        for (let step = 0; step < 60; step += 1) {
          const settled = random.below(2) === 0 ? (reserves.pop() ?? 0) : 0;
          const request = takeOf(policy, {
            key,
            need: random.below(30),
            want: random.below(50),
            part: random.one([2, 64]),
            settledEpoch: epoch,
            settled,
            returned: random.below(settled + 1),
            debt: random.one([0, 0, 0, 3]),
          });
          const grant = await ask(random.one([store, other]), request);
          // The reference stands still in epoch 0.
          const expected = take(bucket, { ...request, settledEpoch: 0 }, 0);
          if (step > 0 && grant.epoch !== epoch) break;
          epoch = grant.epoch;
          reserves.push(grant.reserve);
          answers.push([grant, { ...expected, epoch }]);
        }
        if (answers.length < 60) continue;
        for (const [grant, expected] of answers) {
          expect({ ...grant, waitUs: 0 }).toEqual({ ...expected, waitUs: 0 });
          expect(Math.abs(grant.waitUs - expected.waitUs)).toBeLessThan(EPOCH_US * 3);
        }
        return;
      }
      throw new Error('An epoch ended in each attempt.');
    });
  });
}
