import type { FastifyReply } from 'fastify';
import type { RouteCheck } from '#libs/http';
import type { Limiter } from '../limiter/limiter.js';
import type { RateLimits } from '../rate-limits.js';
import type { RateRule } from '../rate-rule.js';
import { accept, keyOf, type LimitedRequest } from './limited-request.js';

/** The limits of one route, worked out anew after each change of the settings. */
export class RouteLimits {
  private version = -1;
  private limiters: readonly Limiter[] = [];

  constructor(
    private readonly limits: RateLimits,
    private readonly routes: readonly string[],
    private readonly rules: readonly RateRule[],
  ) {}

  readonly check: RouteCheck = (request, reply) => {
    if (this.version !== this.limits.version) this.renew();
    const { limiters } = this;
    if (limiters.length === 0) return;
    const nowUs = this.limits.nowUs();
    for (let at = 0; at < limiters.length; at += 1) {
      const limiter = limiters[at] as Limiter;
      const key = keyOf(limiter.policy.by, request);
      if (key === undefined) continue;
      const verdict = limiter.check(key, nowUs);
      if (verdict === undefined) return finish(limiters, at, request, reply, this.limits);
      accept(limiter, key, verdict, request, reply);
    }
  };

  private renew(): void {
    this.version = this.limits.version;
    // The narrowest first: what one refuses takes nothing from the wider ones.
    const general = (['key', 'user', 'organization'] as const).map((by) => this.limits.general(by));
    this.limiters = [
      ...this.limits.ofRoute(this.routes, this.rules),
      ...general.filter((one) => one !== undefined),
    ];
  }
}

/** Goes on from where the store has to be asked. */
async function finish(
  limiters: readonly Limiter[],
  from: number,
  request: LimitedRequest,
  reply: FastifyReply,
  limits: RateLimits,
): Promise<void> {
  for (const limiter of limiters.slice(from)) {
    const key = keyOf(limiter.policy.by, request);
    if (key === undefined) continue;
    const verdict = limiter.check(key, limits.nowUs()) ?? (await limiter.ask(key));
    accept(limiter, key, verdict, request, reply);
  }
}
