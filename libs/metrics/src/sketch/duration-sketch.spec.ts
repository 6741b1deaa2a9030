import { describe, expect, it } from '@jest/globals';
import { bucketOf, BUCKETS, lowerBoundMs, middleMs } from './duration-buckets.js';
import { DurationSketch } from './duration-sketch.js';

const SHARES = [0, 0.01, 0.25, 0.5, 0.9, 0.95, 0.99, 0.999, 1];

/** Numbers that look random and are the same in every run (mulberry32). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const DISTRIBUTIONS: Readonly<Record<string, (random: () => number) => number>> = {
  uniform: (random) => random() * 1_000,
  exponential: (random) => -Math.log(1 - random()) * 20,
  'log-normal': (random) =>
    20 * Math.exp(Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()) * 2),
  'of two humps': (random) => (random() < 0.7 ? 0.3 + random() : 4_000 + random() * 500),
  'heavy-tailed': (random) => 0.05 / (1 - random()) ** 1.2,
  constant: () => 12.3,
};

function exact(sorted: readonly number[], share: number): number {
  return sorted[Math.max(1, Math.ceil(share * sorted.length)) - 1] ?? Number.NaN;
}

function sketchOf(values: Iterable<number>): DurationSketch {
  const sketch = new DurationSketch();
  for (const value of values) sketch.record(value);
  return sketch;
}

describe('DurationSketch', () => {
  it.each(Object.entries(DISTRIBUTIONS))(
    'tells every percentile of %s samples within 1 % of the exact nearest rank',
    (_, draw) => {
      for (const [seed, size] of [2, 3, 10, 101, 1_000, 20_000].entries()) {
        const random = randomNumbers(seed + 1);
        const values = Array.from({ length: size }, () => draw(random));
        const sorted = values.toSorted((one, other) => one - other);
        const told = sketchOf(values).percentiles(SHARES);
        for (const [at, share] of SHARES.entries()) {
          const truth = exact(sorted, share);
          expect(Math.abs((told[at] ?? Number.NaN) - truth) / truth).toBeLessThanOrEqual(0.01);
        }
      }
    },
  );

  it('is right with a million samples', () => {
    const random = randomNumbers(7);
    const values = Float64Array.from({ length: 1_000_000 }, () => -Math.log(1 - random()) * 20);
    const sketch = sketchOf(values);
    values.sort();
    for (const share of [0.5, 0.95, 0.99]) {
      const truth = values[Math.ceil(share * values.length) - 1] ?? 0;
      expect(Math.abs((sketch.percentiles([share])[0] ?? 0) - truth) / truth).toBeLessThan(0.01);
    }
    expect(sketch.count).toBe(1_000_000);
    expect(sketch.maxMs).toBe(values.at(-1));
  });

  it('tells nothing when nothing was recorded', () => {
    expect(new DurationSketch().percentiles([0.5, 0.99])).toEqual([null, null]);
  });

  it('tells a single sample exactly, whatever the percentile', () => {
    for (const value of [0.0001, 0.7, 31.415, 1e9]) {
      expect(sketchOf([value]).percentiles(SHARES)).toEqual(SHARES.map(() => value));
    }
  });

  it('takes zero, negative numbers and what is no number without harm', () => {
    const sketch = sketchOf([0, -1, Number.NaN, Number.POSITIVE_INFINITY]);
    expect(sketch.count).toBe(4);
    expect(sketch.counts[0]).toBe(3);
    expect(sketch.counts[BUCKETS - 1]).toBe(1);
  });

  it('gives the same when parts are added up as when all is recorded in one', () => {
    const random = randomNumbers(3);
    const values = Array.from({ length: 5_000 }, () => random() * 300);
    const whole = sketchOf(values);
    const added = new DurationSketch();
    for (let start = 0; start < values.length; start += 700) {
      added.add(sketchOf(values.slice(start, start + 700)).compact());
    }
    expect(added.percentiles(SHARES)).toEqual(whole.percentiles(SHARES));
    expect(added.sumMs).toBeCloseTo(whole.sumMs, 6);
    expect([added.count, added.minMs, added.maxMs]).toEqual([
      whole.count,
      whole.minMs,
      whole.maxMs,
    ]);
  });

  it('forgets everything when it is cleared', () => {
    const sketch = sketchOf([1, 2, 3]);
    sketch.clear();
    expect(sketch.percentiles([0.5])).toEqual([null]);
    expect(sketch.counts.every((count) => count === 0)).toBe(true);
  });
});

describe('the buckets', () => {
  it('hold what lies between their bounds, without gaps', () => {
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      expect(bucketOf(lowerBoundMs(bucket))).toBe(bucket);
      expect(bucketOf(middleMs(bucket))).toBe(bucket);
    }
  });

  it('reach from less than a microsecond to a quarter of an hour', () => {
    expect(lowerBoundMs(0)).toBeLessThan(0.001);
    expect(lowerBoundMs(BUCKETS - 1)).toBeGreaterThan(900_000);
  });
});
