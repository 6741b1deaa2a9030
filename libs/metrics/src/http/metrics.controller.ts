import { Controller, Get, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SettingsStore } from '#libs/config';
import { Priority, Problems, Public, ReturnsText } from '#libs/http';
import { MetricsForbiddenError } from '../errors/metrics-forbidden.error.js';
import { metricsSettings } from '../metrics.settings.js';
import { Metrics } from '../metrics.service.js';
import { mayReadMetrics } from './metrics-access.js';

/** What Prometheus scrapes. */
@Controller('metrics')
@Priority('critical')
@Public()
export class MetricsController {
  constructor(
    private readonly metrics: Metrics,
    private readonly store: SettingsStore,
  ) {}

  @Get()
  @ReturnsText(200, 'All metrics in the text format of Prometheus', 'text/plain')
  @Problems({ 401: 'Only programs on the same machine may read it without the metrics token' })
  async scrape(
    @Res({ passthrough: true }) reply: FastifyReply,
    @Req() request: FastifyRequest,
  ): Promise<string> {
    if (!this.mayRead(request)) throw new MetricsForbiddenError();
    const { text, contentType } = await this.metrics.expose();
    void reply.header('content-type', contentType).header('cache-control', 'no-store');
    return text;
  }

  private mayRead({ headers, ip, socket }: FastifyRequest): boolean {
    return mayReadMetrics(
      {
        authorization: headers.authorization,
        remoteAddress: socket.remoteAddress,
        clientAddress: ip,
        isForwarded: 'x-forwarded-for' in headers || 'forwarded' in headers,
      },
      this.store.get(metricsSettings),
    );
  }
}
