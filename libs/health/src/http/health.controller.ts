import { Controller, Get, Res } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import type { FastifyReply } from 'fastify';
import { z } from 'zod';
import { Public, Returns } from '#libs/http';
import type { ComponentReport } from '../component.monitor.js';
import { HealthMonitor } from '../health-monitor.js';

const componentSchema = z.object({
  status: z.enum(['up', 'degraded', 'down']),
  code: z.string().optional().describe('Why it is not up'),
  since: z.iso.datetime(),
  checkedAt: z.iso.datetime(),
  durationMs: z.number(),
});

const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'error', 'shutting_down']),
    details: z.record(z.string(), componentSchema),
  })
  .meta({ id: 'Health' });

type Health = z.infer<typeof healthSchema>;

const liveSchema = z.object({ status: z.literal('ok') });

/**
 * Tells load balancers and people whether this process works. Answers come from the last
 * results, so they take no time even when a component hangs.
 */
@Controller('health')
@Public()
export class HealthController {
  constructor(
    private readonly monitor: HealthMonitor,
    private readonly indicators: HealthIndicatorService,
  ) {}

  @Get()
  @Returns(200, 'The state of every component; 503 when a required one is down', healthSchema)
  async health(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await this.summarise();
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
  async ready(@Res({ passthrough: true }) reply: FastifyReply): Promise<Health> {
    const health = await this.summarise();
    const isReady = health.status === 'ok' || health.status === 'degraded';
    void reply.status(isReady ? 200 : 503).header('cache-control', 'no-store');
    return health;
  }

  private async summarise(): Promise<Health> {
    const reports = await this.monitor.reports();
    const details = Object.assign(
      {},
      ...reports.map((report) => this.indicate(report)),
    ) as Health['details'];
    return { status: this.statusOf(reports), details };
  }

  private statusOf(reports: readonly ComponentReport[]): Health['status'] {
    if (this.monitor.isDraining) return 'shutting_down';
    const down = reports.filter(({ status }) => status === 'down');
    if (down.some(({ required }) => required)) return 'error';
    return down.length > 0 ? 'degraded' : 'ok';
  }

  private indicate(report: ComponentReport): HealthIndicatorResult {
    const { name, required, status, ...data } = report;
    const indicator = this.indicators.check(name);
    if (status === 'up') return indicator.up(data);
    return required ? indicator.down(data) : indicator.degraded(data);
  }
}
