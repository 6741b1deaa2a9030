import { describe, expect, it } from '@jest/globals';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { configurationSchema } from '../model/strategy.schemas.js';
import { workloadOf } from '../workload/workload.js';
import { ChangeVerifier } from './change-verifier.js';
import { estimateOf, liesAbove, realDifference } from './estimate.js';

describe('estimates', () => {
  it('takes a difference within the spread for none', () => {
    const noisy = estimateOf([0.4, 0.6, 0.5, 0.45, 0.55]);
    const other = estimateOf([0.45, 0.6, 0.55, 0.5, 0.5]);
    expect(realDifference(noisy, other)).toBe(0);
    expect(realDifference(noisy, estimateOf([0.8, 0.82, 0.79, 0.81, 0.8]))).toBeCloseTo(0.304);
  });

  it('finds an improvement in pure noise in no more than a few cases of a hundred', () => {
    let state = 1;
    const random = (): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32 - 0.5;
    };
    const runs = Array.from({ length: 400 }, () => Array.from({ length: 10 }, random));
    expect(runs.filter((values) => liesAbove(values, 0)).length).toBeLessThan(24);
  });

  it('cannot tell anything from a single value', () => {
    expect(realDifference(estimateOf([0]), estimateOf([1]))).toBe(0);
    expect(estimateOf([])).toEqual({ mean: 0, error: Number.POSITIVE_INFINITY });
  });
});

describe('the verification of a change', () => {
  const verifier = new ChangeVerifier(new EvictionPolicyRegistry());
  const reads = Array.from({ length: 20_000 }, (_, at) => ({
    key: `key:${Math.floor((((at * 7_919) % 20_000) / 20_000) ** 3 * 3_000)}`,
    atMs: at,
    bytes: 500,
  }));
  const workload = workloadOf(reads);
  const none = { reads: 0, hitRatio: estimateOf([]), latencyMs: estimateOf([]) };
  const steady = (hitRatio: number) => ({
    reads: 10_000,
    hitRatio: { mean: hitRatio, error: 0.001 },
    latencyMs: { mean: 1, error: 0.1 },
  });
  const configured = (change: object) =>
    configurationSchema.parse({ maxBytes: 200_000, policy: 's3-fifo', ...change });
  const judge = (change: object, type: 'policy' | 'size' = 'policy', measured = [none, none]) =>
    verifier.verify({
      type,
      before: configured({}),
      after: configured(change),
      workload,
      measuredBefore: measured[0] ?? none,
      measuredAfter: measured[1] ?? none,
    });

  it('rejects what makes it worse, and what makes no difference', async () => {
    expect(await judge({ policy: 'random' })).toMatchObject({ isKept: false });
    expect(await judge({})).toMatchObject({
      isKept: false,
      text: expect.stringMatching(/may be chance/),
    });
  });

  it('keeps what answers more of the recorded reads', async () => {
    expect(await judge({ maxBytes: 400_000 }, 'size')).toMatchObject({ isKept: true });
  });

  it('rejects what the live counters speak against, whatever the replay says', async () => {
    const verdict = await judge({ maxBytes: 400_000 }, 'size', [steady(0.9), steady(0.5)]);
    expect(verdict).toEqual({
      isKept: false,
      text: 'The live cache answered 40.0 % less of the reads afterwards.',
    });
  });

  it('lets a cache shrink as long as that costs next to nothing', async () => {
    const large = configured({ maxBytes: 8_000_000 });
    const shrink = (maxBytes: number) =>
      verifier.verify({
        type: 'size',
        before: large,
        after: { ...large, maxBytes },
        workload,
        measuredBefore: none,
        measuredAfter: none,
      });
    expect(await shrink(4_000_000)).toMatchObject({ isKept: true });
    expect(await shrink(200_000)).toMatchObject({ isKept: false });
  });
});
