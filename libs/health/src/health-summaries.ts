import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { z } from 'zod';
import type { ComponentReport } from './component.monitor.js';
import { HealthMonitor } from './health-monitor.js';

const componentSchema = z.object({
  status: z.enum(['up', 'degraded', 'down']),
  code: z.string().optional().describe('Why it is not up'),
  since: z.iso.datetime(),
  checkedAt: z.iso.datetime(),
  durationMs: z.number(),
});

/** What `/health` answers. */
export const healthSchema = z
  .object({
    status: z.enum(['ok', 'degraded', 'error', 'shutting_down']),
    details: z.record(z.string(), componentSchema),
  })
  .meta({ id: 'Health' });

export type HealthSummary = z.infer<typeof healthSchema>;

/** Sums up what is known of the components. */
@Injectable()
export class HealthSummaries {
  constructor(
    private readonly monitor: HealthMonitor,
    private readonly indicators: HealthIndicatorService,
  ) {}

  /** From the last results: it waits for nothing but the very first checks. */
  async current(): Promise<HealthSummary> {
    const reports = await this.monitor.reports();
    const details = Object.assign(
      {},
      ...reports.map((report) => this.indicate(report)),
    ) as HealthSummary['details'];
    return { status: this.statusOf(reports), details };
  }

  private statusOf(reports: readonly ComponentReport[]): HealthSummary['status'] {
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
