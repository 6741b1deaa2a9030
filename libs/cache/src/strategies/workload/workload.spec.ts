import { describe, expect, it } from '@jest/globals';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { simulate, weightOf } from '../simulation/simulator.js';
import { reuseCurveOf } from './reuse-distance.js';
import { predictableShareOf } from './successors.js';
import { WorkloadAnalyser } from './workload-analyser.js';
import { type Access, sampled, workloadOf } from './workload.js';
import { zipfExponentOf } from './zipf-fit.js';

const registry = new EvictionPolicyRegistry();

/** The same numbers from 0 to 1 each time. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

function skewed(reads: number, keys: number): Access[] {
  const random = randomOf(7);
  return Array.from({ length: reads }, (_, at) => ({
    key: `key:${Math.floor(random() ** 3 * keys)}`,
    atMs: at,
    bytes: 280,
  }));
}

describe('a workload', () => {
  it('orders accesses by time and numbers keys and versions', () => {
    const workload = workloadOf([
      { key: 'b', atMs: 2, version: 'x' },
      { key: 'a', atMs: 1, bytes: 10, version: 1 },
      { key: 'b', atMs: 3, version: 'y' },
      { key: 'b', atMs: 4, version: 'x' },
    ]);
    expect(workload.keys).toEqual(['a', 'b']);
    expect([...workload.reads]).toEqual([0, 1, 1, 1]);
    expect([...(workload.versions ?? [])]).toEqual([0, 0, 1, 0]);
    expect([...workload.bytes]).toEqual([10, 10]);
  });

  it('knows no versions as soon as one is missing', () => {
    expect(
      workloadOf([
        { key: 'a', atMs: 1, version: 1 },
        { key: 'a', atMs: 2 },
      ]).versions,
    ).toBeUndefined();
  });

  it('is sampled by key, and answers about as much in the same part of the room', async () => {
    const workload = workloadOf(skewed(60_000, 20_000));
    const policy = registry.get('lru');
    const whole = await simulate(workload, { policy, maxBytes: 1_000_000 });
    const part = await simulate(workload, { policy, maxBytes: 1_000_000 }, { rate: 0.25 });
    expect(sampled(workload, 0.25).reads.length).toBeLessThan(30_000);
    expect(part.hitRatio).toBeCloseTo(whole.hitRatio, 1);
  });
});

describe('reuse distances', () => {
  it('tell what an LRU cache of each size answers, as a simulation does', async () => {
    const workload = workloadOf(skewed(20_000, 5_000));
    const curve = await reuseCurveOf(workload);
    for (const entries of [128, 512, 2_048]) {
      const maxBytes = entries * weightOf(280);
      const { hitRatio } = await simulate(workload, { policy: registry.get('lru'), maxBytes });
      expect(Math.abs(curve.hitRatioAt(maxBytes) - hitRatio)).toBeLessThan(0.02);
    }
    expect(curve.hitRatioAt(1e12)).toBeCloseTo(1 - curve.first / curve.reads, 5);
  });
});

describe('a simulation', () => {
  it('ends entries at their life and counts what was stale', async () => {
    const reads = Array.from({ length: 100 }, (_, at) => ({
      key: 'a',
      atMs: at * 10,
      // Changes every 50 ms.
      version: Math.floor(at / 5),
    }));
    const cache = { policy: registry.get('lru'), maxBytes: 100_000 };
    const short = await simulate(workloadOf(reads), { ...cache, ttlMs: 10 });
    expect(short).toMatchObject({ hits: 0, staleRatio: 0 });
    const exact = await simulate(workloadOf(reads), { ...cache, ttlMs: 50 });
    expect(exact).toMatchObject({ hitRatio: 0.8, staleRatio: 0 });
    const long = await simulate(workloadOf(reads), { ...cache, ttlMs: 100 });
    expect(long.hitRatio).toBe(0.9);
    expect(long.staleRatio).toBe(0.5);
  });

  it('stops when it is told to', async () => {
    const stopped = AbortSignal.abort(new Error('enough'));
    const long = workloadOf(skewed(400_000, 100_000));
    const policy = registry.get('adaptive');
    await expect(
      simulate(long, { policy, maxBytes: 1_000_000 }, { signal: stopped }),
    ).rejects.toThrow('enough');
  });
});

describe('the analysis of a workload', () => {
  it('finds the exponent of a Zipf law, and none where keys are read alike', () => {
    const counts = (exponent: number) =>
      Array.from({ length: 2_000 }, (_, rank) => Math.round(100_000 * (rank + 1) ** -exponent));
    for (const exponent of [0.7, 0.9, 1.1]) {
      expect(zipfExponentOf(counts(exponent))).toBeCloseTo(exponent, 1);
    }
    expect(zipfExponentOf(Array.from({ length: 100 }, () => 50))).toBeCloseTo(0);
    expect(zipfExponentOf([1, 1, 1])).toBe(0);
  });

  it('foresees keys that follow each other, and none at random', () => {
    const loop = Array.from({ length: 2_000 }, (_, at) => ({ key: `${at % 50}`, atMs: at }));
    expect(predictableShareOf(workloadOf(loop))).toBeGreaterThan(0.9);
    expect(predictableShareOf(workloadOf(skewed(2_000, 500)))).toBeLessThan(0.1);
  });

  it('tells how often values change, what they weigh, and whether compression pays', async () => {
    const reads = Array.from({ length: 3_600 }, (_, at) => ({
      key: at % 2 === 0 ? 'steady' : 'changing',
      atMs: at * 1_000,
      bytes: at % 2 === 0 ? 1_000 : 3_000,
      // Once in ten minutes.
      version: at % 2 === 0 ? 0 : Math.floor(at / 600),
    }));
    const samples = [{ text: 'word '.repeat(500) }];
    const analysis = await new WorkloadAnalyser().analyse(workloadOf(reads), 1_000_000, samples);
    expect(analysis).toMatchObject({
      reads: 3_600,
      distinctKeys: 2,
      onceShare: 0,
      bytes: { isMeasured: true, mean: 2_000 },
      interArrivalMs: { p50: 2_000 },
      changes: { changedShare: 0.5 },
      hotKeys: [{ reads: 1_800 }, { reads: 1_800 }],
    });
    expect(analysis.changes?.perKeyAndHour).toBeCloseTo(2.5, 0);
    const { rawBytes = 0, storedBytes = 0 } = analysis.compression ?? {};
    expect(storedBytes).toBeLessThan(rawBytes / 10);
  });
});
