import { Injectable } from '@nestjs/common';
import type { EvictionPolicyFactory } from '../../l1/eviction-policy.js';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { type Outcome, simulate } from '../simulation/simulator.js';
import type { Workload } from '../workload/workload.js';

export interface LifetimeConstraints {
  readonly maxBytes: number;
  readonly maxStalenessMs: number;
  readonly maxStaleRatio: number;
}

export interface LifetimeAdvice {
  readonly ttlMs: number;
  /** Part of the reads that get something outdated; null when versions are not known. */
  readonly staleRatio: number | null;
}

const MIN_TTL_MS = 100;
const STEPS = 7;
/** Part of the bound that is aimed at: a workload does not repeat itself exactly. */
const AIM = 0.93;
const REPLAYED_READS = 60_000;

/** Chooses how long entries live: as long as the bounds on what is outdated allow. */
@Injectable()
export class LifetimeAdvisor {
  constructor(private readonly policies: EvictionPolicyRegistry) {}

  async advise(
    workload: Workload,
    { maxBytes, maxStalenessMs, maxStaleRatio }: LifetimeConstraints,
    signal?: AbortSignal,
  ): Promise<LifetimeAdvice> {
    if (workload.versions === undefined) return { ttlMs: maxStalenessMs, staleRatio: null };
    const rate = Math.min(1, REPLAYED_READS / Math.max(1, workload.reads.length));
    const policy = this.policies.get('s3-fifo');
    const staleRatioAt = async (ttlMs: number): Promise<number> =>
      (await simulate(workload, { policy, maxBytes, ttlMs }, { rate, signal })).staleRatio;
    const atMost = await staleRatioAt(maxStalenessMs);
    if (atMost <= maxStaleRatio) return { ttlMs: maxStalenessMs, staleRatio: atMost };
    // What is outdated grows with the life, so the longest life that is good enough can be halved to.
    let good = Math.min(MIN_TTL_MS, maxStalenessMs);
    let staleRatio = await staleRatioAt(good);
    let bad = maxStalenessMs;
    for (let step = 0; step < STEPS; step += 1) {
      const middle = Math.sqrt(good * bad);
      const ratio = await staleRatioAt(middle);
      if (ratio <= maxStaleRatio) [good, staleRatio] = [middle, ratio];
      else bad = middle;
    }
    return { ttlMs: Math.floor(good), staleRatio };
  }

  /** The longest life that is good enough for the policy and the size that were chosen with another. */
  async fit(
    workload: Workload,
    cache: { readonly policy: EvictionPolicyFactory; readonly maxBytes: number },
    { maxStalenessMs, maxStaleRatio }: LifetimeConstraints,
    first: {
      readonly ttlMs: number;
      readonly outcome: Outcome;
      readonly signal?: AbortSignal | undefined;
    },
  ): Promise<{ ttlMs: number; outcome: Outcome }> {
    const isGood = ({ staleRatio }: Outcome): boolean => staleRatio <= AIM * maxStaleRatio;
    let good = first;
    const tryAt = async (ttlMs: number) => {
      const outcome = await simulate(workload, { ...cache, ttlMs }, { signal: first.signal });
      return { ttlMs, outcome };
    };
    if (workload.versions === undefined) return { ttlMs: first.ttlMs, outcome: first.outcome };
    let bad: number;
    if (isGood(first.outcome)) {
      bad = Math.min(maxStalenessMs, first.ttlMs * 2);
      if (bad <= first.ttlMs) return first;
    } else {
      bad = first.ttlMs;
      good = await tryAt(Math.max(1, Math.floor(first.ttlMs / 2)));
      for (let halvings = 0; !isGood(good.outcome) && halvings < STEPS; halvings += 1) {
        bad = good.ttlMs;
        good = await tryAt(Math.max(1, Math.floor(good.ttlMs / 2)));
      }
    }
    for (let step = 0; step < STEPS; step += 1) {
      const middle = await tryAt(Math.floor((good.ttlMs + bad) / 2));
      if (isGood(middle.outcome)) good = middle;
      else bad = middle.ttlMs;
    }
    return good;
  }
}
