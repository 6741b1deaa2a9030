import { Controller, Get, type MessageEvent, Req, Sse } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { map, type Observable } from 'rxjs';
import { Priority, RequirePermission, Returns, ReturnsText } from '#libs/http';
import { type MetricsSnapshot, metricsSnapshotSchema } from '../metrics-snapshot.js';
import { Metrics } from '../metrics.service.js';

/** Metrics for people and dashboards: percentiles over windows, and the figures of the process. */
@Controller('v1/perf/metrics')
@Priority('critical')
@RequirePermission({ resource: 'perf', action: 'read' })
export class PerfMetricsController {
  constructor(private readonly metrics: Metrics) {}

  @Get()
  @Returns(
    200,
    'Requests over 1, 5 and 15 minutes, by route too, and the figures of the process',
    metricsSnapshotSchema,
  )
  read(): Promise<MetricsSnapshot> {
    return this.metrics.snapshot();
  }

  @Sse('stream', { maxPendingDataLength: 1024 * 1024 })
  @ReturnsText(200, 'The same as server-sent events, one a second', 'text/event-stream')
  stream(@Req() request: FastifyRequest): Observable<MessageEvent> {
    request.isEndless = true;
    return this.metrics.stream().pipe(map((data): MessageEvent => ({ type: 'metrics', data })));
  }
}
