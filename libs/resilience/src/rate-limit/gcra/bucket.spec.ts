import { describe, expect, it } from '@jest/globals';
import { Random } from '../testing/random.js';
import { worstExcess } from '../testing/window-bound.js';
import { type Bucket, spend } from './bucket.js';
import { RatePolicy } from './rate-policy.js';

const policyOf = (capacity: number, refill: number, periodMs = 1_000) =>
  new RatePolicy({ name: 'test', by: 'user', capacity, refill, periodMs });

/** The virtual scheduling form of the algorithm, in fractions of BigInt: nothing is ever rounded. */
class Reference {
  /** Theoretical arrival time, in microseconds × refill. */
  private arrival = 0n;

  constructor(private readonly policy: RatePolicy) {}

  allows(nowUs: number): boolean {
    const { refill, cellUnits, capacity } = this.policy;
    const now = BigInt(nowUs) * BigInt(refill);
    const start = this.arrival > now ? this.arrival : now;
    const next = start + BigInt(cellUnits);
    if (next - now > BigInt(capacity) * BigInt(cellUnits)) return false;
    this.arrival = next;
    return true;
  }
}

/** Times at which requests come: bursts, steady streams and long pauses. */
function* schedule(random: Random, count: number): Iterable<number> {
  let us = 1_750_000_000_000_000 + random.below(1_000_000);
  for (let index = 0; index < count; index += 1) {
    us += random.one([0, 0, 1, random.below(50), random.below(5_000), random.below(2_000_000)]);
    if (random.below(500) === 0) us += random.below(100_000_000_000);
    yield us;
  }
}

describe('the bucket of a limit', () => {
  it('decides as the virtual scheduling form does, for random policies and schedules', () => {
    const random = new Random(1);
    for (let run = 0; run < 200; run += 1) {
      const policy = policyOf(
        1 + random.below(random.one([3, 50, 5_000])),
        1 + random.below(random.one([3, 70, 30_000])),
        random.one([1_000, 60_000, 3_600_000]),
      );
      const bucket: Bucket = { deficit: 0, atUs: 0 };
      const reference = new Reference(policy);
      const times = [...schedule(random, 500)];
      const differing = times.filter(
        (us) => spend(bucket, policy, us) >= 0 !== reference.allows(us),
      );
      expect(differing).toEqual([]);
    }
  });

  it('never lets more through than capacity and refill, in any span of time', () => {
    const random = new Random(2);
    for (let run = 0; run < 50; run += 1) {
      const policy = policyOf(1 + random.below(100), 1 + random.below(2_000));
      const bucket: Bucket = { deficit: 0, atUs: 0 };
      const allowed = [...schedule(random, 2_000)].filter((us) => spend(bucket, policy, us) >= 0);
      expect(worstExcess(allowed, policy)).toBeLessThanOrEqual(0);
    }
  });

  it('says exactly when the next request will be let through', () => {
    const random = new Random(3);
    const policy = policyOf(7, 3);
    const bucket: Bucket = { deficit: 0, atUs: 0 };
    let us = 0;
    for (let step = 0; step < 2_000; step += 1) {
      us += random.below(400_000);
      const verdict = spend(bucket, policy, us);
      if (verdict >= 0) continue;
      expect(spend({ ...bucket }, policy, us - verdict - 1)).toBeLessThan(0);
      expect(spend({ ...bucket }, policy, us - verdict)).toBeGreaterThanOrEqual(0);
    }
  });

  it('tells how many are left', () => {
    const bucket: Bucket = { deficit: 0, atUs: 0 };
    const policy = policyOf(3, 1);
    expect([0, 0, 0, 0].map((us) => spend(bucket, policy, us))).toEqual([2, 1, 0, -1_000_000]);
    expect(spend(bucket, policy, 2_500_000)).toBe(1);
  });

  it('takes nothing back when a clock steps back', () => {
    const bucket: Bucket = { deficit: 0, atUs: 0 };
    const policy = policyOf(2, 1);
    expect(spend(bucket, policy, 5_000_000)).toBe(1);
    expect(spend(bucket, policy, 1_000_000)).toBe(0);
    expect(spend(bucket, policy, 5_999_999)).toBeLessThan(0);
    expect(spend(bucket, policy, 6_000_000)).toBe(0);
  });
});

describe('a policy', () => {
  it('says itself in the words of the headers', () => {
    expect(policyOf(100, 10).header).toBe('"test";q=100;w=10');
    expect(policyOf(100, 10).secondsToFull(55)).toBe(5);
    expect(policyOf(5, 60, 60_000).header).toBe('"test";q=5;w=5');
  });

  it('is parted among processes so that the parts are not more than the whole', () => {
    const random = new Random(4);
    const whole = policyOf(10, 7);
    const part = whole.shareOf(3);
    const buckets = [0, 1, 2].map((): Bucket => ({ deficit: 0, atUs: 0 }));
    const allowed = [...schedule(random, 20_000)].filter(
      (us) => spend(random.one(buckets), part, us) >= 0,
    );
    expect(part.capacity).toBe(3);
    expect(worstExcess(allowed, whole)).toBeLessThanOrEqual(0);
  });

  it.each([
    [0, 1, 1_000],
    [1, 0, 1_000],
    [1.5, 1, 1_000],
    [1_000_001, 1, 1_000],
    [1, 1, 3_600_001],
  ])('refuses numbers with which it would not be exact: %d, %d, %d', (...numbers) => {
    expect(() => policyOf(...numbers)).toThrow(RangeError);
  });
});
