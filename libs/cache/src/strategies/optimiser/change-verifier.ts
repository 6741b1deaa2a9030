import { Injectable } from '@nestjs/common';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import type { ChangeType, StrategyConfiguration } from '../model/strategy.schemas.js';
import { inPercent } from '../planning/plan-rules.js';
import { type Outcome, simulate } from '../simulation/simulator.js';
import type { Workload } from '../workload/workload.js';
import { liesAbove, liesBelow, realDifference } from './estimate.js';
import type { Measurement } from './window-measurer.js';

export interface Verdict {
  readonly isKept: boolean;
  readonly text: string;
}

/** What was seen before and after one change. */
export interface Evidence {
  readonly type: ChangeType;
  readonly before: StrategyConfiguration;
  readonly after: StrategyConfiguration;
  readonly workload: Workload;
  readonly measuredBefore: Measurement;
  readonly measuredAfter: Measurement;
  readonly signal?: AbortSignal | undefined;
}

/** Fewer measured reads say nothing. */
export const MIN_MEASURED_READS = 200;
const WARM_UP = 0.2;
/** A smaller cache may answer so much less; it gives room back for that. */
const PRICE_OF_ROOM = 0.01;
/** A measured hit ratio may fall by so much, as caches fill up after a change. */
const TOLERATED = 0.01;

/**
 * Says whether a change is kept: replaying what was recorded, before and after are compared block by
 * block, and the counters of the live cache must not have become worse. A difference that may be
 * chance is none.
 */
@Injectable()
export class ChangeVerifier {
  constructor(private readonly policies: EvictionPolicyRegistry) {}

  async verify(evidence: Evidence): Promise<Verdict> {
    const { measuredBefore, measuredAfter } = evidence;
    const isMeasured = Math.min(measuredBefore.reads, measuredAfter.reads) >= MIN_MEASURED_READS;
    const measured = realDifference(measuredBefore.hitRatio, measuredAfter.hitRatio);
    if (isMeasured && measured < -TOLERATED) {
      return {
        isKept: false,
        text: `The live cache answered ${inPercent(-measured)} less of the reads afterwards.`,
      };
    }
    const live = isMeasured
      ? ` The live cache answered ${inPercent(measuredBefore.hitRatio.mean)} before and ${inPercent(measuredAfter.hitRatio.mean)} afterwards.`
      : ' There were too few live reads to compare.';
    if (evidence.type === 'compression' || evidence.type === 'prefetch') {
      return { isKept: true, text: `It does not change what is evicted.${live}` };
    }
    const before = await this.replay(evidence.before, evidence);
    const after = await this.replay(evidence.after, evidence);
    const gains = before.blocks.map((block, index) => {
      const other = after.blocks[index] ?? block;
      return other.hits / Math.max(1, other.reads) - block.hits / Math.max(1, block.reads);
    });
    const isSmaller = evidence.after.maxBytes < evidence.before.maxBytes;
    const isKept = isSmaller ? !liesBelow(gains, -PRICE_OF_ROOM) : liesAbove(gains, 0);
    const replayed = `Replayed, the recorded reads were answered to ${inPercent(before.hitRatio)} before and ${inPercent(after.hitRatio)} afterwards`;
    const judged = isKept ? '.' : isSmaller ? ', which costs too much.' : ', which may be chance.';
    return { isKept, text: replayed + judged + live };
  }

  /** What a configuration would have done with the recorded reads. */
  replay(
    configuration: StrategyConfiguration,
    { workload, signal }: Pick<Evidence, 'workload' | 'signal'>,
  ): Promise<Outcome> {
    const { policy, maxBytes, maxItems, ttlMs } = configuration;
    const cache = { policy: this.policies.get(policy), maxBytes, maxItems, ttlMs };
    return simulate(workload, cache, { warmUp: WARM_UP, signal });
  }
}
