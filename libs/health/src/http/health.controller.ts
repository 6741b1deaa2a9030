import { Controller, Get, Res } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Priority, Public, Returns } from '#libs/http';
import { HealthSummaries, type HealthSummary, healthSchema } from '../health-summaries.js';

const liveSchema = z.object({ status: z.literal('ok') });

/**
 * Tells load balancers and people whether this process works. Answers come from the last
 * results, so they take no time even when a component hangs.
 */
@Controller('health')
@Priority('critical')
@Public()
export class HealthController {
  constructor(private readonly summaries: HealthSummaries) {}

  @Get()
  @Returns(200, 'The state of every component; 503 when a required one is down', healthSchema)
  async health(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthSummary> {
    const health = await this.summaries.current();
    void reply.status(health.status === 'error' ? 503 : 200).header('cache-control', 'no-store');
    return health;
  }

  @Get('live')
  @Returns(
    200,
    'As long as the process turns; it says nothing of what the process needs',
    liveSchema,
  )
  live(): z.infer<typeof liveSchema> {
    return { status: 'ok' };
  }

  @Get('ready')
  @Returns(
    200,
    'Whether requests should come here; 503 when not, and from the start of a shutdown',
    healthSchema,
  )
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<HealthSummary> {
    const health = await this.summaries.current();
    const isReady = health.status === 'ok' || health.status === 'degraded';
    void reply.status(isReady ? 200 : 503).header('cache-control', 'no-store');
    return health;
  }
}
