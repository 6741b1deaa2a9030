import { Injectable } from '@nestjs/common';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { Caches } from '../../managers/caches.js';
import type { CacheStrategy } from '../model/cache-strategy.js';
import type { ChangeType, StrategyConfiguration } from '../model/strategy.schemas.js';
import { costOf } from '../planning/eviction-advisor.js';
import { compressionFor, inBytes, inPercent, prefetchFor } from '../planning/plan-rules.js';
import { simulate } from '../simulation/simulator.js';
import type { WorkloadAnalysis } from '../workload/workload-analysis.js';
import type { Workload } from '../workload/workload.js';

/** What is known when changes are looked for. */
export interface Situation {
  readonly strategy: CacheStrategy;
  readonly workload: Workload;
  readonly analysis: WorkloadAnalysis;
  readonly signal?: AbortSignal | undefined;
}

/** A change that may pay. */
export interface Proposal {
  readonly change: Partial<StrategyConfiguration>;
  readonly reason: string;
}

const REPLAYED_READS = 60_000;
const WARM_UP = 0.2;
const SIZE_FACTORS = [0.25, 0.5, Math.SQRT1_2, Math.SQRT2, 2, 4];
const TTL_FACTORS = [2, 4, 8];
/** Where no constraint says otherwise, all of a budget must save this part of the reads. */
const DEFAULT_MEMORY_PRICE = 0.02;
/** A change must promise this much in hit ratio, or in cost, to be tried. */
const LEAST_GAIN = 0.002;

/** Looks for a change of each type, by replaying what was recorded. Whoever asks verifies it. */
@Injectable()
export class ChangeProposer {
  constructor(
    private readonly policies: EvictionPolicyRegistry,
    private readonly caches: Caches,
  ) {}

  /** Undefined when no change of this type promises anything. */
  propose(type: ChangeType, situation: Situation): Promise<Proposal | undefined> {
    switch (type) {
      case 'policy':
        return this.policy(situation);
      case 'size':
        return this.size(situation);
      case 'ttl':
        return this.ttl(situation);
      case 'compression':
        return Promise.resolve(compression(situation));
      case 'prefetch':
        return Promise.resolve(prefetch(situation));
    }
  }

  /** Bytes of memory that a strategy may have at most. */
  mostBytesOf({ configuration, provenance }: CacheStrategy): number {
    const budget = this.caches.budgetOf(configuration.kind);
    return Math.min(budget, provenance.constraints?.maxBytes ?? budget);
  }

  private async policy(situation: Situation): Promise<Proposal | undefined> {
    const { configuration } = situation.strategy;
    const now = await this.hitRatio(situation, configuration);
    let best = { policy: configuration.policy, hitRatio: now };
    for (const policy of this.policies.names) {
      const hitRatio = await this.hitRatio(situation, { ...configuration, policy });
      if (hitRatio > best.hitRatio) best = { policy, hitRatio };
    }
    if (best.hitRatio - now < LEAST_GAIN) return undefined;
    return {
      change: { policy: best.policy },
      reason: `${best.policy} would have answered ${inPercent(best.hitRatio)} of the recorded reads, ${configuration.policy} ${inPercent(now)}.`,
    };
  }

  private async size(situation: Situation): Promise<Proposal | undefined> {
    const { configuration, provenance } = situation.strategy;
    const most = this.mostBytesOf(situation.strategy);
    const memoryPrice = provenance.constraints?.memoryPrice ?? DEFAULT_MEMORY_PRICE;
    const price = { maxBytes: most, memoryPrice };
    const trial = async (maxBytes: number) => {
      const hitRatio = await this.hitRatio(situation, { ...configuration, maxBytes });
      return { maxBytes, hitRatio, cost: costOf({ hitRatio }, maxBytes, price) };
    };
    const now = await trial(configuration.maxBytes);
    let best = now;
    for (const factor of SIZE_FACTORS) {
      const maxBytes = Math.round(configuration.maxBytes * factor);
      if (maxBytes > most || maxBytes < 64 * 1024) continue;
      const candidate = await trial(maxBytes);
      if (candidate.cost < best.cost) best = candidate;
    }
    if (now.cost - best.cost < LEAST_GAIN) return undefined;
    return {
      change: { maxBytes: best.maxBytes },
      reason: `${inBytes(best.maxBytes)} would have answered ${inPercent(best.hitRatio)} of the recorded reads, ${inBytes(now.maxBytes)} ${inPercent(now.hitRatio)}; all of ${inBytes(most)} must save ${inPercent(memoryPrice)} to be worth taking.`,
    };
  }

  private async ttl(situation: Situation): Promise<Proposal | undefined> {
    const { configuration, provenance } = situation.strategy;
    const { constraints } = provenance;
    // Without a bound on what is outdated nobody has said that a longer life would be right.
    if (constraints === null || configuration.ttlMs >= constraints.maxStalenessMs) return undefined;
    const now = await this.hitRatio(situation, configuration);
    let best = { ttlMs: configuration.ttlMs, hitRatio: now };
    for (const factor of TTL_FACTORS) {
      const ttlMs = Math.min(constraints.maxStalenessMs, Math.round(configuration.ttlMs * factor));
      const outcome = await this.replay(situation, { ...configuration, ttlMs });
      if (outcome.staleRatio > constraints.maxStaleRatio) break;
      if (outcome.hitRatio > best.hitRatio) best = { ttlMs, hitRatio: outcome.hitRatio };
    }
    if (best.hitRatio - now < LEAST_GAIN) return undefined;
    return {
      change: { ttlMs: best.ttlMs },
      reason: `Lives of ${best.ttlMs} ms would have answered ${inPercent(best.hitRatio)} of the recorded reads, ${configuration.ttlMs} ms ${inPercent(now)}; values may be outdated for ${constraints.maxStalenessMs} ms.`,
    };
  }

  private async hitRatio(situation: Situation, configuration: StrategyConfiguration) {
    return (await this.replay(situation, configuration)).hitRatio;
  }

  private replay({ workload, signal }: Situation, configuration: StrategyConfiguration) {
    const { policy, maxBytes, maxItems, ttlMs } = configuration;
    const cache = { policy: this.policies.get(policy), maxBytes, maxItems, ttlMs };
    const rate = Math.min(1, REPLAYED_READS / Math.max(1, workload.reads.length));
    return simulate(workload, cache, { rate, warmUp: WARM_UP, signal });
  }
}

function compression({ strategy, analysis }: Situation): Proposal | undefined {
  if (analysis.compression === null) return undefined;
  const { value, reason } = compressionFor(strategy.type, analysis);
  const { compressFromBytes } = strategy.configuration;
  // Whether it is on is what matters; a threshold that somebody has chosen stays.
  if ((value === null) === (compressFromBytes === null)) return undefined;
  return { change: { compressFromBytes: value }, reason: reason.text };
}

function prefetch({ strategy, analysis }: Situation): Proposal | undefined {
  const { value, reason } = prefetchFor(analysis);
  if ((value === null) === (strategy.configuration.prefetch === null)) return undefined;
  return { change: { prefetch: value }, reason: reason.text };
}
