import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { rateLimitStoreAnswered } from './rate-limit.events.js';
import { RateLimits } from './rate-limits.js';

/** Policies beyond so many are added up as one. */
const MAX_POLICIES = 40;
const OTHER = '<other>';

/** What Prometheus is told of rate limits. */
@Injectable()
export class RateLimitMetrics implements OnModuleInit {
  constructor(
    private readonly limits: RateLimits,
    private readonly metrics: Metrics,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    registry.total(
      'rate_limit_requests_total',
      'Requests that a limit has decided about: allowed or refused, by policy and by whose budget',
      () => this.decisions(),
    );
    registry.gauge('rate_limit_keys', 'Budgets that this process remembers, of all policies', () =>
      [...this.limits.limiters].reduce((sum, { keys }) => sum + keys, 0),
    );
    registry.gauge(
      'rate_limit_store_shared',
      'Whether the processes share their budgets at present: 1 or 0; always 0 with budgets in memory',
      () => [{ labels: { store: this.limits.store.name }, value: Number(this.isShared()) }],
    );
    const durations = registry.durations({
      name: 'rate_limit_store_seconds',
      help: 'Time that the store of the budgets took to answer',
    });
    registry.onEvent(rateLimitStoreAnswered, (ms) => durations.of().record(ms));
  }

  private isShared(): boolean {
    return this.limits.store.state === 'shared';
  }

  private decisions() {
    const sums = new Map<string, { policy: string; by: string; outcome: string; value: number }>();
    for (const [at, { policy, allowed, refused }] of [...this.limits.limiters].entries()) {
      const { by } = policy;
      const name = at < MAX_POLICIES ? policy.name : OTHER;
      for (const [outcome, value] of Object.entries({ allowed, refused })) {
        const id = `${name}\u0000${by}\u0000${outcome}`;
        const known = sums.get(id);
        if (known === undefined) sums.set(id, { policy: name, by, outcome, value });
        else known.value += value;
      }
    }
    return [...sums.values()].map(({ value, ...labels }) => ({ labels, value }));
  }
}
