import { Injectable } from '@nestjs/common';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { simulate } from '../simulation/simulator.js';
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
}
