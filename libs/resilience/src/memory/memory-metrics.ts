import { Injectable, type OnModuleInit } from '@nestjs/common';
import { Metrics } from '#libs/metrics';
import { ratioOf } from './memory-meter.js';
import { MEMORY_PRESSURE_LEVELS } from './memory-pressure.js';
import { MemoryWatch } from './memory-watch.js';

/** Tells Prometheus what the watch over memory sees. */
@Injectable()
export class MemoryMetrics implements OnModuleInit {
  constructor(
    private readonly metrics: Metrics,
    private readonly watch: MemoryWatch,
  ) {}

  onModuleInit(): void {
    const { registry } = this.metrics;
    registry.gauge('memory_pressure', 'Level of memory pressure: 1 for the one in force', () =>
      MEMORY_PRESSURE_LEVELS.map((level) => ({
        labels: { level },
        value: Number(level === this.watch.level),
      })),
    );
    registry.gauge(
      'memory_used_ratio',
      'Part that is used of the bound of memory that is nearest to being reached',
      () =>
        this.watch.state.bounds.slice(0, 1).map((bound) => ({ labels: {}, value: ratioOf(bound) })),
    );
    registry.gauge('memory_limit_bytes', 'The bound that is nearest to being reached', () =>
      this.watch.state.bounds
        .slice(0, 1)
        .map(({ limitBytes }) => ({ labels: {}, value: limitBytes })),
    );
    registry.total('memory_pressure_entered_total', 'How often a level was entered', () =>
      MEMORY_PRESSURE_LEVELS.map((level) => ({
        labels: { level },
        value: this.watch.state.entered[level],
      })),
    );
    registry.total(
      'memory_collections_total',
      'Collections of garbage that were ordered for want of memory',
      () => this.watch.state.collections.count,
    );
    registry.total(
      'memory_collection_seconds_total',
      'Time that the process stood still for them',
      () => this.watch.state.collections.totalMs / 1_000,
    );
  }
}
