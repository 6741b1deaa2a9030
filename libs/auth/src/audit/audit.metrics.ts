import { Injectable, type OnModuleInit, Optional } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { AuditWriter } from './audit-writer.js';

/** Tells whether security events are written. */
@Injectable()
export class AuditMetrics implements OnModuleInit {
  constructor(
    private readonly writer: AuditWriter,
    @Optional() private readonly metrics?: Metrics,
  ) {}

  onModuleInit(): void {
    if (this.metrics === undefined) return;
    const { registry } = this.metrics;
    registry.total('audit_events_total', 'Security events by what became of them', () => {
      const { written, lost } = this.writer.counts;
      return [
        { labels: { result: 'written' }, value: written },
        { labels: { result: 'lost' }, value: lost },
      ];
    });
    registry.gauge(
      'audit_events_waiting',
      'Security events in memory that are not written yet',
      () => this.writer.counts.waiting,
    );
  }
}
