import { Injectable, type OnModuleInit } from '@nestjs/common';
import { type GaugeReading, Metrics } from '#libs/metrics';
import type { CircuitState } from './policy.channels.js';
import { Policies } from './policies.js';
import type { Policy } from './policy.js';

/** Policies with series of their own; names are given by the code, so there are hardly ever as many. */
const MAX_POLICIES = 100;
const STATE_NUMBERS: Readonly<Record<CircuitState, number>> = {
  closed: 0,
  'half-open': 1,
  open: 2,
  isolated: 3,
};

/** What the policies count anyway, read at each scrape. */
@Injectable()
export class PolicyMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly policies: Policies,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    registry.gauge(
      'circuit_state',
      'Breaker of a part that is called: 0 closed, 1 half-open, 2 open, 3 held open by hand',
      () =>
        [...this.policies.all(), ...this.policies.foreign()]
          .slice(0, MAX_POLICIES)
          .map(({ name, state }) => ({ labels: { name }, value: STATE_NUMBERS[state] })),
    );
    registry.total(
      'policy_calls_total',
      'Calls under a policy by how they ended, before any fallback',
      () =>
        this.all().flatMap(({ name, counts }) =>
          Object.entries(counts.calls).map(([outcome, value]) => ({
            labels: { name, outcome },
            value,
          })),
        ),
    );
    const total = (metric: string, help: string, read: (policy: Policy) => number): void =>
      registry.total(metric, help, () => this.read(read));
    total(
      'policy_attempts_total',
      'Attempts that reached the part, retries too',
      ({ counts }) => counts.attempts,
    );
    total('policy_retries_total', 'Attempts after a failed one', ({ counts }) => counts.retries);
    total(
      'policy_retries_denied_total',
      'Failures that were not retried because the budget was used up',
      ({ counts }) => counts.retriesDenied,
    );
    total(
      'policy_fallbacks_total',
      'Calls that were answered by a fallback',
      ({ counts }) => counts.fallbacks,
    );
    registry.gauge('policy_retry_budget', 'Retries that are allowed now', () =>
      this.read(({ retriesLeft }) => retriesLeft),
    );
    registry.gauge('bulkhead_calls', 'Calls under a policy with a bound that run and wait', () =>
      this.all().flatMap(({ name, occupancy }) =>
        occupancy === undefined
          ? []
          : [
              { labels: { name, state: 'running' }, value: occupancy.inUse },
              { labels: { name, state: 'waiting' }, value: occupancy.queued },
            ],
      ),
    );
  }

  private all(): readonly Policy[] {
    return this.policies.all().slice(0, MAX_POLICIES);
  }

  private read(read: (policy: Policy) => number | undefined): GaugeReading {
    return this.all().flatMap((policy) => {
      const value = read(policy);
      return value === undefined ? [] : [{ labels: { name: policy.name }, value }];
    });
  }
}
