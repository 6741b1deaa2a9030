import { Controller, Get } from '@nestjs/common';
import { RequirePermission, Returns } from '#libs/http';
import { z } from 'zod';
import { RateLimits } from '../rate-limit/rate-limits.js';

const MOST_REFUSED = 10;

const rateLimitsSchema = z.object({
  store: z.object({
    name: z.string().describe('redis, postgres or memory'),
    state: z
      .enum(['shared', 'local'])
      .describe('local: this process goes by budgets, or parts of them, of its own'),
  }),
  policies: z.array(
    z.object({
      name: z.string(),
      by: z.string(),
      capacity: z.number(),
      refill: z.number(),
      periodMs: z.number(),
      keys: z.number().describe('Budgets that this process remembers'),
      allowed: z.number(),
      refused: z.number(),
      mostRefused: z.array(z.object({ key: z.string(), refused: z.number() })),
    }),
  ),
});

/** The rate limits of the process that answers. */
@Controller('v1/perf/rate-limits')
export class RateLimitsController {
  constructor(private readonly limits: RateLimits) {}

  @Get()
  @RequirePermission({ resource: 'perf:rate-limits', action: 'read' })
  @Returns(
    200,
    'The limits that were asked for since the start, where budgets are, and who was refused most',
    rateLimitsSchema,
  )
  read(): z.infer<typeof rateLimitsSchema> {
    const policies = [...this.limits.limiters].map((limiter) => {
      const { keys, allowed, refused, policy } = limiter;
      const { name, by, capacity, refill, periodMs } = policy;
      const mostRefused = limiter.mostRefused(MOST_REFUSED);
      return { name, by, capacity, refill, periodMs, keys, allowed, refused, mostRefused };
    });
    const { name, state } = this.limits.store;
    return { store: { name, state }, policies };
  }
}
