import { describe, expect, it } from '@jest/globals';
import { EvictionPolicyRegistry } from '../../l1/eviction-policy.registry.js';
import { constraintsSchema } from '../model/strategy.schemas.js';
import { simulate } from '../simulation/simulator.js';
import { WorkloadAnalyser } from '../workload/workload-analyser.js';
import { workloadOf } from '../workload/workload.js';
import { costOf, EvictionAdvisor } from './eviction-advisor.js';
import { LifetimeAdvisor } from './lifetime-advisor.js';
import { StrategyPlanner } from './strategy-planner.js';

const policies = new EvictionPolicyRegistry();
const lifetimes = new LifetimeAdvisor(policies);
const planner = new StrategyPlanner(
  new WorkloadAnalyser(),
  new EvictionAdvisor(policies, lifetimes),
  lifetimes,
);
const READS = 3_000;

/** Skewed reads, of values that change every two seconds. */
const changing = workloadOf(
  Array.from({ length: READS }, (_, at) => ({
    key: `item:${Math.floor((((at * 7_919) % READS) / READS) ** 3 * 400)}`,
    atMs: at * 10,
    bytes: 600,
    version: Math.floor(at / 200),
  })),
);

describe('the plan of a strategy', () => {
  const constraints = constraintsSchema.parse({ maxBytes: 300_000, maxStaleRatio: 0.02 });

  it('keeps to the bounds on room and on stale reads, and is near the best of a grid', async () => {
    const { configuration, expected, unmet } = await planner.plan({
      workload: changing,
      constraints,
    });
    expect(configuration.maxBytes).toBeLessThanOrEqual(300_000);
    expect(expected.staleRatio).toBeLessThanOrEqual(0.02);
    expect(unmet).toEqual([]);
    let best = Number.POSITIVE_INFINITY;
    for (const policy of ['lru', 's3-fifo', 'lfu']) {
      for (const maxBytes of [300_000, 200_000, 100_000, 65_536]) {
        for (const ttlMs of [60_000, 1_000, 500, 300, 200, 100]) {
          const cache = { policy: policies.get(policy), maxBytes, ttlMs };
          const outcome = await simulate(changing, cache);
          if (outcome.staleRatio > 0.02) continue;
          best = Math.min(best, costOf(outcome, maxBytes, constraints));
        }
      }
    }
    const cost = costOf(expected, configuration.maxBytes, constraints);
    expect(cost / best).toBeLessThan(1.05);
  });

  it('takes memory where entries live for a moment, and what was asked for otherwise', async () => {
    const strict = { ...constraints, maxStalenessMs: 500 };
    const own = await planner.plan({ workload: changing, constraints: strict });
    expect(own.type).toBe('memory');
    expect(own.configuration.compressFromBytes).toBeNull();
    const asked = await planner.plan({ workload: changing, constraints: strict, type: 'disk' });
    expect(asked.type).toBe('disk');
    expect(asked.reasons[0]).toEqual({ of: 'type', text: 'It was asked for.' });
  });

  it('takes more room for a hit ratio that is asked for', async () => {
    const steady = workloadOf(
      [...changing.reads].map((key, at) => ({ key: `item:${key}`, atMs: at, bytes: 600 })),
    );
    const dear = { ...constraints, memoryPrice: 1 };
    const cheap = await planner.plan({ workload: steady, constraints: dear });
    const good = await planner.plan({
      workload: steady,
      constraints: { ...dear, minHitRatio: cheap.expected.hitRatio + 0.05 },
    });
    expect(good.configuration.maxBytes).toBeGreaterThan(cheap.configuration.maxBytes);
    expect(good.expected.hitRatio).toBeGreaterThanOrEqual(cheap.expected.hitRatio + 0.05);
  });
});
