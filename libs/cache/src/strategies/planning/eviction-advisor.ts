import { Injectable } from '@nestjs/common';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { type Outcome, simulate } from '../simulation/simulator.js';
import { sampled, type Workload } from '../workload/workload.js';
import { LifetimeAdvisor, type LifetimeConstraints } from './lifetime-advisor.js';

/** What the room costs and what must be reached. */
export interface EvictionConstraints extends LifetimeConstraints {
  readonly minHitRatio?: number | undefined;
  /** Part of the reads that all of `maxBytes` must save to be worth taking. */
  readonly memoryPrice: number;
}

/** A policy at a size with a life of its entries, and what it is expected to do. */
export interface EvictionCandidate {
  readonly policy: string;
  readonly maxBytes: number;
  readonly ttlMs: number;
  readonly outcome: Outcome;
  /** Misses as a part of all reads, and the price of the room. */
  readonly cost: number;
}

export interface EvictionAdvice {
  readonly best: EvictionCandidate;
  /** The best of each other policy that was tried to the end, the best first. */
  readonly others: readonly EvictionCandidate[];
}

/** Reads that are replayed for a first look at all policies and sizes. */
const FIRST_LOOK_READS = 60_000;
/** Reads that are replayed for the decision. */
const DECISION_READS = 200_000;
/** Sizes of the first look, as parts of the room. */
const FIRST_SIZES = [1, 0.5, 0.25, 0.125, 0.06, 0.02];
const FINAL_POLICIES = 3;
const FINAL_SIZES = 4;
/** Steps of the search around the best size, each half as wide as the one before. */
const REFINEMENTS = [Math.SQRT2, 2 ** 0.25];
const MIN_BYTES = 64 * 1024;

/**
 * Chooses what a cache evicts, how large it is and, where it is known when values change, how long
 * they live: all policies at some sizes on a part of the keys, then the most promising of them around
 * their sizes, each with the longest life that keeps to the bound on stale reads.
 */
@Injectable()
export class EvictionAdvisor {
  constructor(
    private readonly policies: EvictionPolicyRegistry,
    private readonly lifetimes: LifetimeAdvisor,
  ) {}

  async advise(
    workload: Workload,
    constraints: EvictionConstraints,
    { ttlMs, signal }: { readonly ttlMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<EvictionAdvice> {
    const order = byWorth(constraints);
    const looked = await this.look(workload, constraints, { ttlMs, signal });
    const promising = bestOfEach(looked, order).slice(0, FINAL_POLICIES);
    const part = sampled(workload, rateOf(workload, DECISION_READS));
    const rate = rateOf(workload, DECISION_READS);
    /** Undefined for what cannot be better than `rival`. */
    const decide = async (
      start: Pick<EvictionCandidate, 'policy' | 'maxBytes' | 'ttlMs'>,
      rival: EvictionCandidate | undefined,
    ): Promise<EvictionCandidate | undefined> => {
      const { policy, maxBytes } = start;
      const cache = { policy: this.policies.get(policy), maxBytes: maxBytes * rate };
      const outcome = await simulate(part, { ...cache, ttlMs: start.ttlMs }, { signal });
      const hoped = { ...start, outcome, cost: costOf(outcome, maxBytes, constraints) };
      // What is stale beyond the bound gets a shorter life, and answers less.
      const isAtMost = outcome.staleRatio > constraints.maxStaleRatio;
      if (isAtMost && rival !== undefined && order(rival, hoped) <= 0) return undefined;
      const first = { ttlMs: start.ttlMs, outcome, signal };
      const fitted = await this.lifetimes.fit(part, cache, constraints, first);
      const cost = costOf(fitted.outcome, maxBytes, constraints);
      return { policy, maxBytes, ttlMs: fitted.ttlMs, outcome: fitted.outcome, cost };
    };
    const decided: EvictionCandidate[] = [];
    for (const { policy } of promising) {
      const starts = looked.filter((candidate) => candidate.policy === policy).sort(order);
      const tried = new Set<number>();
      let best: EvictionCandidate | undefined;
      const attempt = async (maxBytes: number, life: number): Promise<void> => {
        if (tried.has(maxBytes)) return;
        tried.add(maxBytes);
        const candidate = await decide({ policy, maxBytes, ttlMs: life }, best);
        if (candidate !== undefined && (best === undefined || order(candidate, best) < 0)) {
          best = candidate;
        }
      };
      for (const start of starts.slice(0, FINAL_SIZES)) await attempt(start.maxBytes, start.ttlMs);
      for (const factor of REFINEMENTS) {
        const around = best as unknown as EvictionCandidate;
        for (const bytes of [around.maxBytes / factor, around.maxBytes * factor]) {
          await attempt(sizeOf(bytes, constraints.maxBytes), around.ttlMs);
        }
      }
      decided.push(best as unknown as EvictionCandidate);
    }
    const [best, ...others] = decided.sort(order) as [EvictionCandidate, ...EvictionCandidate[]];
    return { best, others };
  }

  /** All policies at some sizes; what would be stale beyond the bound is counted as missed. */
  private async look(
    workload: Workload,
    constraints: EvictionConstraints,
    { ttlMs, signal }: { readonly ttlMs: number; readonly signal?: AbortSignal | undefined },
  ): Promise<EvictionCandidate[]> {
    const rate = rateOf(workload, FIRST_LOOK_READS);
    const longest = constraints.maxStalenessMs;
    const isOpen = workload.versions !== undefined && ttlMs < longest;
    // A life that is too long for one policy and size is right for another that answers less.
    const lives = isOpen ? [ttlMs, Math.round(Math.sqrt(ttlMs * longest)), longest] : [ttlMs];
    const seen: EvictionCandidate[] = [];
    for (const policy of this.policies.names) {
      for (const part of FIRST_SIZES) {
        const maxBytes = sizeOf(constraints.maxBytes * part, constraints.maxBytes);
        const tried: EvictionCandidate[] = [];
        for (const life of lives) {
          const cache = { policy: this.policies.get(policy), maxBytes, ttlMs: life };
          const outcome = await simulate(workload, cache, { rate, signal });
          const allowed = Math.min(1, constraints.maxStaleRatio / outcome.staleRatio);
          const fitted = { ...outcome, hitRatio: outcome.hitRatio * allowed };
          const cost = costOf(fitted, maxBytes, constraints);
          tried.push({ policy, maxBytes, ttlMs: life, outcome: fitted, cost });
        }
        seen.push(tried.sort((a, b) => a.cost - b.cost)[0] as EvictionCandidate);
      }
    }
    return seen;
  }
}

function rateOf({ reads }: Workload, replayed: number): number {
  return Math.min(1, replayed / Math.max(1, reads.length));
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
