import { Injectable } from '@nestjs/common';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { type Outcome, simulate } from '../simulation/simulator.js';
import type { Workload } from '../workload/workload.js';

/** What the room costs and what must be reached. */
export interface EvictionConstraints {
  readonly maxBytes: number;
  readonly minHitRatio?: number | undefined;
  /** Part of the reads that all of `maxBytes` must save to be worth taking. */
  readonly memoryPrice: number;
}

/** A policy at a size, and what it is expected to do. */
export interface EvictionCandidate {
  readonly policy: string;
  readonly maxBytes: number;
  readonly outcome: Outcome;
  /** Misses as a part of all reads, and the price of the room. */
  readonly cost: number;
}

export interface EvictionAdvice {
  readonly best: EvictionCandidate;
  /** The best of each policy that was tried at the end, the best first. */
  readonly others: readonly EvictionCandidate[];
  /** Whether the best reaches the hit ratio that was asked for. */
  readonly isReached: boolean;
}

/** Reads that are replayed for a first look at all policies and sizes. */
const FIRST_LOOK_READS = 60_000;
/** Reads that are replayed for the decision. */
const DECISION_READS = 500_000;
/** Sizes of the first look, as parts of the room. */
const FIRST_SIZES = [1, 0.5, 0.25, 0.125, 0.06, 0.02];
const FINALISTS = 3;
/** Steps of the search around the best size, each half as wide as the one before. */
const REFINEMENTS = [Math.SQRT2, 2 ** 0.25];
const MIN_BYTES = 64 * 1024;

/**
 * Chooses what a cache evicts and how large it is: all policies at some sizes on a part of the keys,
 * then the best of them around their best sizes on all that was recorded.
 */
@Injectable()
export class EvictionAdvisor {
  constructor(private readonly policies: EvictionPolicyRegistry) {}

  async advise(
    workload: Workload,
    constraints: EvictionConstraints,
    { ttlMs, signal }: { readonly ttlMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<EvictionAdvice> {
    const trial =
      (reads: number) =>
      async (policy: string, maxBytes: number): Promise<EvictionCandidate> => {
        const rate = Math.min(1, reads / Math.max(1, workload.reads.length));
        const cache = { policy: this.policies.get(policy), maxBytes, ttlMs };
        const outcome = await simulate(workload, cache, { rate, signal });
        return { policy, maxBytes, outcome, cost: costOf(outcome, maxBytes, constraints) };
      };
    const look = trial(FIRST_LOOK_READS);
    const seen: EvictionCandidate[] = [];
    for (const policy of this.policies.names) {
      for (const part of FIRST_SIZES) {
        seen.push(await look(policy, sizeOf(constraints.maxBytes * part, constraints.maxBytes)));
      }
    }
    const order = byWorth(constraints);
    const finalists = bestOfEach(seen, order).slice(0, FINALISTS);
    const decide = trial(DECISION_READS);
    const decided: EvictionCandidate[] = [];
    for (const { policy, maxBytes } of finalists) {
      let best = await decide(policy, maxBytes);
      for (const factor of REFINEMENTS) {
        for (const next of [best.maxBytes / factor, best.maxBytes * factor]) {
          const size = sizeOf(next, constraints.maxBytes);
          if (size === best.maxBytes) continue;
          const candidate = await decide(policy, size);
          if (order(candidate, best) < 0) best = candidate;
        }
      }
      decided.push(best);
    }
    const [best, ...others] = decided.sort(order) as [EvictionCandidate, ...EvictionCandidate[]];
    return { best, others, isReached: reaches(best, constraints) };
  }
}

/** What counts: misses, and the room by its price. */
export function costOf(
  { hitRatio }: { readonly hitRatio: number },
  maxBytes: number,
  constraints: Pick<EvictionConstraints, 'maxBytes' | 'memoryPrice'>,
): number {
  return 1 - hitRatio + (constraints.memoryPrice * maxBytes) / constraints.maxBytes;
}

/** Those that reach what was asked for, cheapest first; then the others, by hit ratio. */
function byWorth(constraints: EvictionConstraints) {
  return (a: EvictionCandidate, b: EvictionCandidate): number => {
    const isReached = reaches(a, constraints);
    if (isReached !== reaches(b, constraints)) return isReached ? -1 : 1;
    return isReached ? a.cost - b.cost : b.outcome.hitRatio - a.outcome.hitRatio;
  };
}

function reaches(
  { outcome }: EvictionCandidate,
  { minHitRatio = 0 }: EvictionConstraints,
): boolean {
  return outcome.hitRatio >= minHitRatio;
}

function bestOfEach(
  candidates: readonly EvictionCandidate[],
  order: (a: EvictionCandidate, b: EvictionCandidate) => number,
): EvictionCandidate[] {
  const best = new Map<string, EvictionCandidate>();
  for (const candidate of candidates.toSorted(order)) {
    if (!best.has(candidate.policy)) best.set(candidate.policy, candidate);
  }
  return [...best.values()];
}

function sizeOf(bytes: number, maxBytes: number): number {
  return Math.round(Math.min(maxBytes, Math.max(Math.min(MIN_BYTES, maxBytes), bytes)));
}
